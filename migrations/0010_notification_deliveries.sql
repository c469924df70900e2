-- What is to be told to whom: written with the change that it tells of, delivered by any replica.
create table notification_deliveries (
  id bigint generated always as identity primary key,
  -- What a receiver tells a repetition by: the same in every try.
  message_id uuid not null default gen_random_uuid(),
  notification_stream_id bigint not null references notification_streams on delete cascade,
  -- What happened, once a stream: `run 12 failed`.
  event_key text not null,
  -- Of src/domain/notification.ts.
  event jsonb not null,
  state text not null check (state in ('waiting', 'sent', 'given_up')),
  attempts integer not null default 0,
  first_attempt_at timestamptz,
  -- When it is tried next.
  due_at timestamptz not null,
  -- A replica is at it until then; then another may be.
  leased_until timestamptz,
  error text,
  created_at timestamptz not null,
  finished_at timestamptz,
  unique (notification_stream_id, event_key),
  check ((state = 'waiting') = (finished_at is null))
);
create index notification_deliveries_due on notification_deliveries (due_at) where state = 'waiting';
create index notification_deliveries_waiting on notification_deliveries (notification_stream_id, due_at, id)
  where state = 'waiting';
create index notification_deliveries_finished on notification_deliveries (finished_at) where finished_at is not null;

alter table notification_streams
  add last_delivery_at timestamptz,
  -- Null where it went through.
  add last_delivery_error text;
