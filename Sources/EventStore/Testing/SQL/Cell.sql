-- The text of a value in a table of rows: see annals-test(5). A value that could be read as something else there
-- becomes a JSON string.
CASE
  WHEN {text} IS NULL THEN 'NULL'
  WHEN {text} IN ('', 'NULL') OR {text} ~ '[[:cntrl:]|]|^[[:space:]"@]|[[:space:]]$|^[(][0-9]+ rows?[)]$'
    THEN to_json({text})::text
  ELSE {text}
END
