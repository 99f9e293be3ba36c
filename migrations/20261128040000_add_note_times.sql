-- When the first of a segment's notes was taken, null where it has none: the segment of an instant is found
-- by its notes, which its events may lag behind. form is of the body: a server that cannot read a form says
-- so and goes on behind it. Written like the rest of the row.
alter table segment add column first_note_at integer;

alter table segment add column form integer not null default 1;

update segment set first_note_at = began_at where note_count > 0;

create index segment_by_first_note_at on segment (first_note_at);
