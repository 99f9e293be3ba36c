-- Calls are listed newest first, by when they began: by the record, by what one person's part tells where
-- there is no record yet, and by stays in queues.
create index call_record_by_start on call_record (coalesce(started_at, read_at), call_id);

create index call_element_by_start on call_element (coalesce(started_at, read_at), call_id);

create index queue_visit_by_leaving on queue_visit (left_at);
