-- Retention beyond a count. Null and 0 are no rule.
alter table backup_tasks
  add keep_last integer check (keep_last >= 0),
  add keep_hourly integer check (keep_hourly >= 0),
  add keep_daily integer check (keep_daily >= 0),
  add keep_weekly integer check (keep_weekly >= 0),
  add keep_monthly integer check (keep_monthly >= 0),
  add keep_yearly integer check (keep_yearly >= 0),
  add minimum_age_days integer check (minimum_age_days >= 0);

alter table backups
  add held_at timestamptz,
  add hold_reason text,
  -- Set by verification.
  add damaged_at timestamptz,
  add damage_reason text,
  -- Set when it was made, cleared by a person.
  add suspicious_at timestamptz,
  add suspicion text,
  add check (hold_reason is null or held_at is not null),
  add check (damage_reason is null or damaged_at is not null),
  add check (suspicion is null or suspicious_at is not null),
  -- Whoever asks, what is held is not on its way out.
  add check (held_at is null or removal_requested_at is null);
