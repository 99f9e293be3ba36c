-- How many REST requests went out, by UTC day (days since 1970), part of Zoom's API and weight. Written
-- by the journal's writer ahead of the requests, a block at a time, so that a crash makes the counts too
-- high and never too low. used_up_until: when Zoom said that there are new ones, after it had said that
-- the account has none left. Rows live for two months.
create table request_count (
    day integer not null,
    product text not null check (product in ('phone', 'account')),
    category text not null check (category in ('light', 'medium', 'heavy', 'intensive')),
    used integer not null check (used >= 0),
    used_up_until integer,
    primary key (day, product, category)
) strict, without rowid;
