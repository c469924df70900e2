-- A token that had every ability of a user who is not an administrator keeps having all there is. With manage-tokens and
-- the rest, it could already do everything in the user's workspace.
update tokens set abilities = abilities || array['view-tags', 'pause-backup-tasks', 'manage-workspace']
  where abilities @> array['manage-tags', 'view-backup-destinations', 'create-backup-destinations',
    'update-backup-destinations', 'delete-backup-destinations', 'view-remote-servers', 'create-remote-servers',
    'update-remote-servers', 'delete-remote-servers', 'view-notification-streams', 'create-notification-streams',
    'update-notification-streams', 'delete-notification-streams', 'view-backup-tasks', 'create-backup-tasks',
    'update-backup-tasks', 'delete-backup-tasks', 'view-scripts', 'create-scripts', 'update-scripts', 'delete-scripts',
    'run-backup-tasks', 'restore-backups', 'delete-backups', 'manage-tokens'];
