-- When the records of a repaired gap were read once more, for calls that were written down late or
-- revised; null while that is to be done.
alter table feed_gap add column read_again_at integer;
