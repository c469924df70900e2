-- When a control plane last read UPDATE_URL. The only row makes sure that one of all control planes reads it, once a day.
create table update_checks (
  id boolean primary key default true check (id),
  checked_at timestamptz not null
);
