ALTER DEFAULT PRIVILEGES IN SCHEMA annals REVOKE ALL ON TABLES FROM {roles};
REVOKE ALL ON ALL TABLES IN SCHEMA annals FROM {roles};
REVOKE ALL ON {events} FROM {roles};
{archive_revokes}{sequence_revokes}REVOKE ALL ON SCHEMA {schema}, annals FROM {roles};
REVOKE ALL ON DATABASE {database} FROM {roles};
DROP ROLE {roles};
