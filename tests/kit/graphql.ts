/** The `data` of an operation over HTTP. @throws Error with every message when it has errors. */
export async function ask<Data>(
  url: string,
  token: string,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { data?: Data; errors?: { message: string }[] };
  if (answer.errors || !answer.data) {
    throw new Error(answer.errors?.map((error) => error.message).join('; ') ?? `HTTP ${response.status}`);
  }
  return answer.data;
}
