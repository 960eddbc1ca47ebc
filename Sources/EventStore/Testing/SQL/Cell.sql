-- A value's text as it is in a table of rows: see annals-test(5). What could be taken for something else there is a
-- string of JSON.
CASE
  WHEN {text} IS NULL THEN 'NULL'
  WHEN {text} IN ('', 'NULL') OR {text} ~ '[[:cntrl:]|]|^[[:space:]"@]|[[:space:]]$|^[(][0-9]+ rows?[)]$'
    THEN to_json({text})::text
  ELSE {text}
END
