-- Calls of which events told and the record did not yet: few, found among all others at once.
create index queue_visit_without_record on queue_visit (entered_at) where read_at is null and ordinal = 0;
