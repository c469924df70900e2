-- The control plane's own SSH key: one for all replicas.
create table ssh_key (
  id smallint primary key check (id = 1),
  -- As in authorized_keys.
  public_key text not null,
  -- The OpenSSH private key file.
  private_key_encrypted text not null,
  created_at timestamptz not null
);
