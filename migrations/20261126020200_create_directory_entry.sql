-- What is known of the account, as last read over REST: queues with their members, extensions, sites, and
-- when that was ("reading"). entry is text that only its reader understands. Written by the journal's
-- writer when something changed; rows live as long as the account has the thing.
create table directory_entry (
    kind text not null,
    entry_id text not null,
    entry text not null,
    primary key (kind, entry_id)
) strict, without rowid;
