-- The changes of a store, and those of the whole database, in their order; with a limit, the last ones.
SELECT e.id, e.at, e.action, e.subject, e.store, e.role, e.os_user, e.os_host, e.address, e.reason, e.detail
FROM (
  SELECT a.id, a.at, a.action, a.subject, a.store, a.role, a.os_user, a.os_host, host(a.address) AS address, a.reason,
         a.detail::text AS detail
  FROM annals.audit AS a
  WHERE (a.store = {store} OR a.store IS NULL)
    AND a.at >= coalesce({since}, '-infinity') AND a.at <= coalesce({until}, 'infinity')
    AND (a.action = ANY ({actions}) OR {actions} = '{}')
  ORDER BY a.id DESC LIMIT {most}) AS e
ORDER BY e.id
