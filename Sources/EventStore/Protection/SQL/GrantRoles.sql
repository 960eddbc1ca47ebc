GRANT USAGE ON SCHEMA {schema}, annals TO {reader};
GRANT SELECT ON {events} TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA annals TO {reader};
-- Of later migrations.
ALTER DEFAULT PRIVILEGES IN SCHEMA annals GRANT SELECT ON TABLES TO {reader};

-- All columns but position, which the table gives.
GRANT {reader} TO {appender};
GRANT INSERT ({columns}) ON {events} TO {appender};

-- Read models are tables of its own in the schema of the events, and in schemas that it creates.
GRANT {reader} TO {projector};
GRANT CREATE, TEMPORARY ON DATABASE {database} TO {projector};
GRANT CREATE ON SCHEMA {schema} TO {projector};
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA annals TO {projector};
ALTER DEFAULT PRIVILEGES IN SCHEMA annals GRANT INSERT, UPDATE, DELETE ON TABLES TO {projector};
REVOKE UPDATE, DELETE ON annals.audit FROM {projector};
REVOKE INSERT, UPDATE, DELETE ON annals.migrations, annals.redactions, annals.archives FROM {projector};

-- A restore gives events their positions, and locks the table, for which PostgreSQL asks the right to UPDATE.
GRANT {appender}, {projector} TO {admin};
GRANT INSERT, UPDATE, DELETE ON {events} TO {admin};
-- It also redacts and archives events.
GRANT INSERT ON annals.redactions, annals.archives TO {admin};
{archive_grants}{sequence_grants}
