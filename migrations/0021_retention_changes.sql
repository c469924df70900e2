-- When a person changed the rules that say how long backups are kept: what they remove waits in the trash for as long
-- after as what a person deletes.
alter table backup_tasks add retention_changed_at timestamptz;

alter table trash_news
  drop constraint trash_news_event_check,
  add constraint trash_news_event_check check (event in ('delete', 'forget', 'release', 'retention'));
