/// What a script adds to a page. Each page is complete without it.
enum BrowseScript {
  static let text: StaticString = #"""
    'use strict';
    (() => {
      const one = (name, root = document) => root.querySelector(name);
      const all = (name, root = document) => [...root.querySelectorAll(name)];
      const kept = (name, value) => {
        try {
          if (value === undefined) return localStorage.getItem(name);
          localStorage.setItem(name, value);
        } catch { return null; }
      };
      let row = -1;

      // Times: UTC as the server wrote them, or local. The choice is one for all of them.
      const showTimes = () => {
        const local = kept('annals-zone') === 'local';
        for (const time of all('time')) {
          if (!time.dataset.utc) time.dataset.utc = time.textContent;
          const date = new Date(time.dateTime);
          const pad = (number, width = 2) => String(number).padStart(width, '0');
          const offset = -date.getTimezoneOffset();
          const sign = offset < 0 ? '-' : '+';
          const minutes = Math.abs(offset);
          time.textContent = !local || isNaN(date) ? time.dataset.utc
            : `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${pad(date.getHours())}:` +
              `${pad(date.getMinutes())}:${pad(date.getSeconds())}${sign}${pad(minutes / 60 | 0)}:${pad(minutes % 60)}`;
        }
        const zone = one('#zone');
        if (zone) zone.textContent = local ? 'Show UTC' : 'Show local time';
      };
      const keysAreOn = () => kept('annals-keys') !== 'off';
      const showKeys = () => {
        const keys = one('#keys');
        if (keys) keys.textContent = keysAreOn() ? 'Turn keys off' : 'Turn keys on';
      };

      // Another page in the place of this one, without a jump to its top.
      let loading = null;
      const load = async (address) => {
        loading?.abort();
        loading = new AbortController();
        try {
          const answer = await fetch(address, { signal: loading.signal, headers: { Accept: 'text/html' } });
          const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
          const main = one('main', page);
          if (!answer.ok || !main) { location.href = address; return; }
          const focus = document.activeElement?.id;
          one('main').replaceWith(main);
          one('footer').replaceWith(one('footer', page));
          document.title = page.title;
          history.replaceState(null, '', address);
          begin();
          if (focus) document.getElementById(focus)?.focus();
        } catch (error) {
          if (error.name !== 'AbortError') location.href = address;
        }
      };
      const addressOf = (form) => {
        const address = new URL(form.action);
        for (const [name, value] of new FormData(form)) address.searchParams.append(name, value);
        return address;
      };

      const begin = () => {
        row = -1;
        const switches = one('#switches');
        if (switches) switches.hidden = false;
        for (const button of all('.copy')) {
          button.hidden = !navigator.clipboard;
          button.onclick = async () => {
            await navigator.clipboard.writeText(one('span', button.parentElement).textContent);
            button.textContent = 'Copied';
          };
        }
        const zone = one('#zone');
        if (zone) zone.onclick = () => { kept('annals-zone', kept('annals-zone') === 'local' ? 'utc' : 'local'); showTimes(); };
        const keys = one('#keys');
        if (keys) keys.onclick = () => { kept('annals-keys', keysAreOn() ? 'off' : 'on'); showKeys(); };
        const slider = one('#slider');
        if (slider) {
          const input = one('#version', slider);
          input.oninput = () => { one('#chosen').textContent = `${input.value} of ${input.max}`; };
          input.onchange = () => load(addressOf(slider));
        }
        showTimes();
        showKeys();
      };

      // Rows, and what the first link of one leads to.
      const go = (step) => {
        const rows = all('main tbody tr').filter((one) => one.querySelector('a'));
        if (!rows.length) return;
        rows[row]?.classList.remove('at');
        row = Math.max(0, Math.min(rows.length - 1, row + step));
        rows[row].classList.add('at');
        rows[row].scrollIntoView({ block: 'nearest' });
      };
      const follow = (name) => { const link = one(name); if (link) { location.href = link.href; return true; } };
      const version = (rel) => { const link = one(`#slider a[rel=${rel}]`); if (link) load(link.href); };
      document.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        if (event.target.closest('input,select,textarea')) {
          if (event.key === 'Escape') event.target.blur();
          return;
        }
        if (!keysAreOn()) return;
        const actions = {
          '/': () => one('#to').focus(), '?': () => { location.href = '/help'; }, Escape: () => history.back(),
          j: () => go(1), k: () => go(-1), '[': () => version('prev'), ']': () => version('next'),
          o: () => follow('.steps a[rel=next]'), n: () => follow('.steps a[rel=prev]'),
          Enter: () => { const link = one('tr.at a'); if (link) location.href = link.href; return link; },
        };
        const action = actions[event.key];
        if (!action || (event.key === 'Enter' && (event.target.closest('a,button') || !one('tr.at')))) return;
        event.preventDefault();
        action();
      });

      // How many events came since, only while somebody looks. Each round asks behind what was counted.
      let newer = 0;
      const poll = async () => {
        const main = one('main');
        if (document.visibilityState === 'visible' && main.dataset.newest !== undefined) {
          const address = new URL(location.href);
          address.searchParams.delete('before');
          address.searchParams.set('after', main.dataset.newest);
          address.searchParams.set('o', 'ndjson');
          try {
            const answer = await fetch(address);
            const lines = answer.ok ? (await answer.text()).split('\n').filter(Boolean) : [];
            if (lines.length) {
              newer += lines.length;
              main.dataset.newest = /"position":(-?\d+)/.exec(lines[0])?.[1] ?? main.dataset.newest;
              const link = document.createElement('a');
              link.href = location.pathname + location.search;
              link.textContent = `${newer} newer event${newer === 1 ? '' : 's'}`;
              one('#live').replaceChildren(link);
            }
          } catch { /* The server ended; the next round may find it again. */ }
        }
        setTimeout(poll, 5000);
      };
      begin();
      setTimeout(poll, 5000);
    })();

    """#
}
