-- Summaries of a stream, at a time of day in the stream's time zone; a weekly one on this day, Sunday 0. When the next one is
-- due; null: never.
alter table notification_streams
  add summary text not null default 'off' check (summary in ('off', 'daily', 'weekly')),
  add summary_time text not null default '08:00',
  add summary_weekday integer not null default 1 check (summary_weekday between 0 and 6),
  add summary_due_at timestamptz;
create index notification_streams_summary on notification_streams (summary_due_at) where summary_due_at is not null;
