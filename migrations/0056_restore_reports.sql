-- What a restore was asked for and what it has written, as its agent reports it. Null for all other runs.
alter table runs add column restored jsonb;
