-- When an administrator last confirmed that the recovery kit is kept elsewhere, and what that kit names. There is at
-- most one row. `destinations` has the label of each destination, by the destination's id.
create table recovery_kit_copies (
  id boolean primary key default true check (id),
  kept_at timestamptz not null,
  key_ids text[] not null,
  destinations jsonb not null
);

create trigger signal_change after insert on recovery_kit_copies for each row
  execute function signal_change_everywhere();
create trigger signal_update after update on recovery_kit_copies for each row
  execute function signal_change_everywhere();
