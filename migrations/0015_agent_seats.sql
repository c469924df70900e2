alter table remote_servers
  -- Names the machine and state directory of the agent that connected last; null for agents that do not tell it.
  add agent_seat text,
  -- The last agent that was refused because another with the same key was connected; null where there was none.
  add duplicate_agent jsonb;
