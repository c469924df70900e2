-- Quiet hours of a stream: from and to as HH:MM in the time zone of the stream, or else of its user; the weekdays on which
-- they begin, Sunday 0, none for every day; the classes of events that are sent nevertheless.
alter table notification_streams
  add timezone text,
  add quiet_from text,
  add quiet_to text,
  add quiet_days smallint[] not null default '{}',
  add quiet_except text[] not null default '{}',
  add check ((quiet_from is null) = (quiet_to is null));

-- Whether a delivery waits for the end of quiet hours, at due_at.
alter table notification_deliveries add held boolean not null default false;
