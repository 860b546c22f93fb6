// A person who signs in through the lab's pages: takes each page's default choice, keeps each
// origin's cookies, and ends at the client's own redirect URI (src/protocol/page.rs).

const MOST_PAGES = 24;

export async function consent(start, redirectUri) {
  const jars = new Map();
  let request = { url: new URL(start), method: "GET" };
  for (let page = 0; page < MOST_PAGES; page += 1) {
    if (request.url.href.startsWith(redirectUri)) return request.url;
    const jar = jars.get(request.url.origin) ?? new Map();
    jars.set(request.url.origin, jar);
    const answer = await fetch(request.url, {
      method: request.method,
      body: request.body,
      redirect: "manual",
      headers: { accept: "application/json", cookie: [...jar].map(([k, v]) => `${k}=${v}`).join("; ") },
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
      jar.set(name, value);
    }
    if (answer.status >= 300 && answer.status < 400) {
      request = { url: new URL(answer.headers.get("location"), request.url), method: "GET" };
      continue;
    }
    const form = await answer.json();
    if (!answer.ok) throw new Error(`${request.url.pathname}: ${JSON.stringify(form)}`);
    const fields = new URLSearchParams(form.fields);
    const choice = form.choices?.find((one) => one.default) ?? form.choices?.[0];
    if (choice) fields.set(choice.name, choice.value);
    const url = new URL(form.action);
    if (form.method === "GET") url.search = fields;
    request = { url, method: form.method, body: form.method === "GET" ? undefined : fields };
  }
  throw new Error(`no end after ${MOST_PAGES} pages`);
}
