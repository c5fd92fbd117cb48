/*
 * Changes of servers, made by the API that the dashboard has below it.
 */

/** What is to be otherwise, in the API's words. */
export interface ServerChange {
  readonly drain?: boolean;
  readonly down?: boolean;
}

/** Why it could not be done; '' when it is. */
export async function changeServer(upstream: string, id: number, change: ServerChange): Promise<string> {
  try {
    const answer = await fetch(`api/9/http/upstreams/${encodeURIComponent(upstream)}/servers/${id}`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(change),
    });
    if (answer.ok) return '';
    const { error } = (await answer.json()) as { error: { text: string } };
    return error.text;
  } catch (error) {
    return (error as Error).message;
  }
}
