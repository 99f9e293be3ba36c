-- What was published with a note, in eight bytes; null in all but one note a minute. The board of one of them
-- is worked out again every hour and compared. Written like the rest of the row.
alter table board_note add column digest integer;
