-- The token that starts runs of a task by a webhook. Only its hash is stored.
create table task_triggers (
  backup_task_id bigint primary key references backup_tasks on delete cascade,
  token_hash text not null,
  created_at timestamptz not null
);

alter table idempotency_keys
  add trigger_task_id bigint references task_triggers on delete cascade,
  drop constraint idempotency_keys_owner,
  add constraint idempotency_keys_owner check (num_nonnulls(token_id, session_id, trigger_task_id) = 1);
create unique index idempotency_keys_trigger on idempotency_keys (trigger_task_id, key);

alter table audit_log
  drop constraint audit_log_actor_check,
  add constraint audit_log_actor_check
    check (actor in ('user', 'agent', 'system', 'command', 'trigger', 'unknown'));
