-- The space that an agent last measured at a destination. All three are null until then.
alter table backup_destinations
  add space_free_bytes bigint,
  add space_total_bytes bigint,
  add space_measured_at timestamptz;
