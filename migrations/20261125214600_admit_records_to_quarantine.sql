-- A record read over REST can be as unreadable as an event: a third source here, too. A check
-- constraint cannot be changed in place, so the table is made anew.
create table quarantine_with_records (
    quarantine_id integer primary key autoincrement not null,
    received_at integer not null,
    source text not null check (source in ('socket', 'webhook', 'rest')),
    reason text not null,
    byte_count integer not null,
    raw blob not null
) strict;

insert into quarantine_with_records
select quarantine_id, received_at, source, reason, byte_count, raw from quarantine;

drop table quarantine;

alter table quarantine_with_records rename to quarantine;
