-- Whether the events of this database are real or made up: what was written in a demo must never be
-- shown as a day's work, nor the other way round. Written once with the row.
alter table installation add column purpose text not null default 'work' check (purpose in ('work', 'demo'));
