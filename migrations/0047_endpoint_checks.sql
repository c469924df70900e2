-- When the certificate at the host and port of a destination was last read.
create table endpoint_checks (
  endpoint text primary key,
  checked_at timestamptz not null
);
