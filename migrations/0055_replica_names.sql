-- The version and the name (host and port) of a control plane. Null: a control plane of the version before wrote the row.
alter table replicas
  add version text,
  add name text;
