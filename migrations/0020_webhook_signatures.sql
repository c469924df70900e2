-- What messages to a webhook are signed with; null: they are not.
alter table notification_streams add signing_secret_encrypted text;
