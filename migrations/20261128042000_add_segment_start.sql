-- After which event a segment begins: the row before, which says it too, is forgotten first. Written like the
-- rest of the row; null where that row was gone already.
alter table segment add column after_event_id integer;

update segment set after_event_id = case segment_id when 1 then 0 else (
    select before.last_event_id from segment before where before.segment_id = segment.segment_id - 1
) end;
