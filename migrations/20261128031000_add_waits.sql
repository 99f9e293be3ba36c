-- How long callers waited whose outcome came about in the quarter, as a histogram that can be added up:
-- a JSON list of [band, answered, others], rising, of domain::volume::Histogram's bands in which there
-- are waits. Summed up with the rest of the row; null in rows that were summed up before.
alter table queue_quarter add column waits text check (json_valid(waits));
