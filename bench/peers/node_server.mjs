// A bare Node server: the response of the sandbox to GET /api/v1/auth/me, encoded for each request. Prints its address.
import { createServer } from "node:http";

const user = {
  id: "550e8400-e29b-41d4-a716-446655440000", email: "dev@example.com", role: "developer", is_active: true,
  created_at: "2025-12-08T10:30:00Z",
};
const server = createServer((request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(user));
});
server.listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + server.address().port));
