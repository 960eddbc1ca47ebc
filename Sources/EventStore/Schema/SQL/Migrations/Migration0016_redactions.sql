-- Which events were redacted, with the hashes that manifests have (EventHashes.sql), and never a value: so
-- verify-versions can tell a redaction from any other change. No foreign key, as in snapshots.
CREATE TABLE annals.redactions (
  audit bigint NOT NULL,
  store text COLLATE "C" NOT NULL,
  event_id uuid NOT NULL,
  aggregate_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  hash_before bytea NOT NULL,
  hash_after bytea NOT NULL,
  redacted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (aggregate_id, version, audit)
);
COMMENT ON TABLE annals.redactions IS 'Events whose payload or metadata were redacted';
COMMENT ON COLUMN annals.redactions.audit IS 'The row of annals.audit that was written before it, in the same transaction';
COMMENT ON COLUMN annals.redactions.store IS 'The events table, as schema.name';

-- Replaces the values that a path leads to: steps are .name, [*] and [n]. As in the lax mode of SQL/JSON, an array on the
-- way means its elements, and another value is its own only element. With the two pads of a key (RFC 2104) the
-- replacement is the HMAC-SHA-256 of the value's text; such a replacement stays as it is.
CREATE FUNCTION annals.replace_values(
  document jsonb, steps text[], replacement jsonb, inner_pad bytea, outer_pad bytea, unwraps boolean DEFAULT true
) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  step text := steps[1];
  rest text[] := steps[2:];
  name text := substr(step, 2);
  place integer;
BEGIN
  IF document IS NULL THEN RETURN NULL; END IF;
  IF step IS NULL THEN
    IF inner_pad IS NULL THEN RETURN replacement; END IF;
    IF jsonb_typeof(document) = 'string' AND document #>> '{}' ~ '^hmac-sha256:[0-9a-f]{64}$' THEN
      RETURN document;
    END IF;
    RETURN to_jsonb('hmac-sha256:' || encode(
      sha256(outer_pad || sha256(inner_pad || convert_to(document::text, 'UTF8'))), 'hex'));
  END IF;
  IF step ^@ '.' THEN
    IF jsonb_typeof(document) = 'object' THEN
      IF NOT document ? name THEN RETURN document; END IF;
      RETURN jsonb_set(document, ARRAY[name],
        annals.replace_values(document -> name, rest, replacement, inner_pad, outer_pad));
    END IF;
    IF jsonb_typeof(document) <> 'array' OR NOT unwraps THEN RETURN document; END IF;
    RETURN (SELECT coalesce(jsonb_agg(
              annals.replace_values(e.value, steps, replacement, inner_pad, outer_pad, false) ORDER BY e.place), '[]')
            FROM jsonb_array_elements(document) WITH ORDINALITY AS e (value, place));
  END IF;
  IF step = '[*]' THEN
    IF jsonb_typeof(document) <> 'array' THEN
      RETURN annals.replace_values(document, rest, replacement, inner_pad, outer_pad);
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(
              annals.replace_values(e.value, rest, replacement, inner_pad, outer_pad) ORDER BY e.place), '[]')
            FROM jsonb_array_elements(document) WITH ORDINALITY AS e (value, place));
  END IF;
  place := rtrim(name, ']')::integer;
  IF jsonb_typeof(document) = 'array' THEN
    IF place >= jsonb_array_length(document) THEN RETURN document; END IF;
    RETURN jsonb_set(document, ARRAY[place::text],
      annals.replace_values(document -> place, rest, replacement, inner_pad, outer_pad));
  END IF;
  IF place > 0 THEN RETURN document; END IF;
  RETURN annals.replace_values(document, rest, replacement, inner_pad, outer_pad);
END $$;
COMMENT ON FUNCTION annals.replace_values IS 'Replaces the values that a path leads to, for redactions';

-- Plans had the payloads of their examples: whoever redacts events would have to find them there too.
UPDATE annals.evolutions SET plan = jsonb_set(plan, ARRAY['examples'], (
  SELECT coalesce(jsonb_agg(e.value - 'before' - 'after' ORDER BY e.place), '[]')
  FROM jsonb_array_elements(plan -> 'examples') WITH ORDINALITY AS e (value, place)))
WHERE jsonb_typeof(plan -> 'examples') = 'array';
