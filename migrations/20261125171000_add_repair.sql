-- Records read over REST are journalled like events, so that the board can be made anew with them:
-- a third source. A check constraint cannot be changed in place, so the table is made anew.
create table event_with_records (
    event_id integer primary key not null,
    key blob not null check (length(key) = 16),
    received_at integer not null,
    source text not null check (source in ('socket', 'webhook', 'rest')),
    name text not null,
    call_id text,
    raw text not null
) strict;

insert into event_with_records select event_id, key, received_at, source, name, call_id, raw from event;

drop table event;

alter table event_with_records rename to event;

create unique index event_by_key on event (key);

create index event_by_received_at on event (received_at);

-- When the records of a gap had been read over REST; null while that is to be done.
alter table feed_gap add column repaired_at integer;
