// The client libraries of the workshop's servers and of their users, against a running lab.
//
// usage: clients.mjs ENV_FILE     (of `hoptrail lab --stage 6 --write-env ENV_FILE`)

import assert from "node:assert/strict";
import { parseEnv } from "node:util";
import { readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";
import { createAnthropic } from "@ai-sdk/anthropic";
import { LinearClient } from "@linear/sdk";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { createClient } from "@supabase/supabase-js";
import { generateText, Output } from "ai";
import { z } from "zod";
import { consent } from "./person.mjs";

const env = parseEnv(readFileSync(process.argv[2], "utf8"));
const redirectUri = "http://127.0.0.1:7998/callback";
const mcpUrl = new URL(env.MCP_RESOURCE_URL);
let passed = 0;

async function works(what, run) {
  await run();
  passed += 1;
  console.log(`ok  ${what}`);
}

/** What the MCP SDK asks of who uses it: memory, and a way to send the person to the zone. */
const provider = {
  redirectUrl: redirectUri,
  clientMetadata: {
    client_name: "A real client",
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  },
  clientInformation: () => provider.client,
  saveClientInformation: (client) => { provider.client = client; },
  tokens: () => provider.kept,
  saveTokens: (tokens) => { provider.kept = tokens; },
  saveCodeVerifier: (verifier) => { provider.verifier = verifier; },
  codeVerifier: () => provider.verifier,
  redirectToAuthorization: async (url) => { provider.back = await consent(url, redirectUri); },
};

/** A credential for one resource, as the server gets it. */
async function exchange(resource, scope) {
  const basic = Buffer.from(`${env.KEYCARD_CLIENT_ID}:${env.KEYCARD_CLIENT_SECRET}`).toString("base64");
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: provider.kept.access_token,
    subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    resource,
  });
  if (scope) form.set("scope", scope);
  const answer = await fetch(`${env.KEYCARD_URL}/oauth/2/token`, {
    method: "POST", body: form, headers: { authorization: `Basic ${basic}` },
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.access_token;
}

const mcp = new Client({ name: "real-client", version: "1.0.0" });
let escalated;

await works("@modelcontextprotocol/sdk signs in", async () => {
  const first = new StreamableHTTPClientTransport(mcpUrl, { authProvider: provider });
  await assert.rejects(mcp.connect(first), UnauthorizedError);
  await first.finishAuth(provider.back.searchParams.get("code"));
  assert.ok(provider.kept.access_token);
  await mcp.connect(new StreamableHTTPClientTransport(mcpUrl, { authProvider: provider }));
});

await works("@modelcontextprotocol/sdk lists and calls the tools", async () => {
  const { tools } = await mcp.listTools();
  assert.deepEqual(tools.map((tool) => tool.name).sort(), ["delete_issue", "escalate_ticket", "get_support_tickets"]);
  const listed = await mcp.callTool({ name: "get_support_tickets", arguments: {} });
  const { tickets } = listed.structuredContent;
  assert.equal(tickets.length, 5);
  const progress = [];
  escalated = await mcp.callTool(
    { name: "escalate_ticket", arguments: { ticketId: tickets[0].id } },
    undefined,
    { onprogress: (step) => progress.push(step) },
  );
  assert.ok(!escalated.isError, JSON.stringify(escalated.content));
  assert.ok(progress.length > 0, "progress was asked for and came");
});

await works("@supabase/supabase-js reads with the service key", async () => {
  // Node has a WebSocket of its own only from 22 on; nothing is subscribed to here.
  const realtime = { transport: class {} };
  const supabase = createClient(env.SUPABASE_URL, await exchange(env.SUPABASE_URL), { realtime });
  const { data, error } = await supabase.from("tickets").select("id, subject, severity").order("created_at", { ascending: false }).limit(3);
  assert.equal(error, null);
  assert.equal(data.length, 3);
  const one = await supabase.from("tickets").select("*").eq("id", data[0].id).single();
  assert.equal(one.data.id, data[0].id);
  const none = await supabase.from("tickets").select("*").eq("id", "00000000-0000-4000-8000-000000000000").single();
  assert.equal(none.error.code, "PGRST116");
});

const ticket = "Subject: Export fails\n\nHi, Maria Gonzalez here (maria@example.org, +1 415 555 0134). My card 4111 1111 1111 1111 is charged twice.";
const leaks = ["Maria", "maria@example.org", "4111"];

await works("ai and @ai-sdk/anthropic mask a ticket", async () => {
  const anthropic = createAnthropic({ apiKey: await exchange(env.ANTHROPIC_API_URL), baseURL: `${env.ANTHROPIC_API_URL}/v1` });
  const { output } = await generateText({
    model: anthropic("claude-haiku-4-5"),
    system: "Mask personal data.",
    prompt: ticket,
    output: Output.object({
      schema: z.object({
        title: z.string(),
        maskedText: z.string(),
        detectedEntities: z.array(z.object({
          type: z.enum(["NAME", "EMAIL", "PHONE", "SSN", "ADDRESS", "CREDIT_CARD", "CREDENTIAL"]),
          placeholder: z.string().regex(/^\[[A-Z_]+(_\d+)?\]$/),
        })),
        labels: z.array(z.enum(["payments", "webhooks", "data-export", "auth", "frontend", "api", "infrastructure", "notifications"])).min(1).max(3),
      }),
    }),
  });
  for (const leak of leaks) assert.ok(!JSON.stringify(output).includes(leak), `${leak} is still there`);
  assert.ok(output.detectedEntities.length >= 4, JSON.stringify(output));
});

await works("@anthropic-ai/sdk creates, streams and counts", async () => {
  const anthropic = new Anthropic({ apiKey: await exchange(env.ANTHROPIC_API_URL), baseURL: env.ANTHROPIC_API_URL });
  const request = { model: "claude-haiku-4-5", max_tokens: 1024, messages: [{ role: "user", content: ticket }] };
  const message = await anthropic.messages.create(request);
  assert.equal(message.stop_reason, "end_turn");
  const streamed = await anthropic.messages.stream(request).finalMessage();
  assert.deepEqual(streamed.content, message.content);
  assert.ok((await anthropic.messages.countTokens({ model: request.model, messages: request.messages })).input_tokens > 0);
  const stranger = new Anthropic({ apiKey: "sk-ant-nobody", baseURL: env.ANTHROPIC_API_URL });
  await assert.rejects(stranger.messages.create(request), { status: 401 });
});

await works("@linear/sdk reads, creates, trashes and restores", async () => {
  const linear = new LinearClient({ accessToken: await exchange(env.LINEAR_API_URL, "write"), apiUrl: `${env.LINEAR_API_URL}/graphql` });
  const viewer = await linear.viewer;
  const [team] = (await linear.teams()).nodes;
  assert.equal(team.id, env.LINEAR_TEAM_ID);
  const labels = await linear.issueLabels({ filter: { name: { in: ["payments"] } } });
  assert.equal(labels.nodes.length, 1);
  const payload = await linear.createIssue({ teamId: team.id, title: "From a real client", labelIds: [labels.nodes[0].id], priority: 2 });
  const issue = await payload.issue;
  assert.equal(issue.title, "From a real client");
  assert.equal((await issue.creator).id, viewer.id, "the author is who the token speaks for");
  assert.equal((await linear.deleteIssue(issue.id)).success, true);
  assert.equal((await linear.issue(issue.id)).trashed, true);
  assert.equal((await linear.unarchiveIssue(issue.id)).success, true);
  assert.ok(!(await linear.issue(issue.id)).trashed);
  const refused = new LinearClient({ accessToken: "lin_oauth_nobody", apiUrl: `${env.LINEAR_API_URL}/graphql` });
  await assert.rejects(refused.viewer, { type: "AuthenticationError" });
});

await mcp.close();
console.log(`${passed} real clients work`);
