-- The calls, statistics and users of a project and of all projects: requests and results.
local cjson = require "cjson"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local wire = require "spec.support.calls.wire"

local PROJECT, ID = wire.sample.project_id, "990e8400-e29b-41d4-a716-446655440004"
local PATH = "/api/v1/projects/" .. PROJECT

local NEON = {
  id = PROJECT, name = "Neon", description = "signs", is_active = true, created_at = "2026-01-01T00:00:00Z",
  updated_at = cjson.null,
}
local USER = {
  id = ID, email = "guest@example.com", full_name = cjson.null, is_active = false, joined_at = "2026-01-02T00:00:00Z",
}
local COUNT = { total = 3, active = 2 }

local server, client, project

local function serve(answers)
  server = wire.server(answers)
  client = assert(devkit4ai.new(wire.options(server.url)))
  project = assert(client:project())
end

after_each(function()
  client:close()
  server:stop()
end)

describe("a project", function()
  it("takes its fields from the server", function()
    serve { ["GET " .. PATH] = { 200, NEON } }
    assert.is_nil(project.name)
    assert.equal(project, project:refresh())
    assert.same({ PROJECT, "Neon", "signs", true, nil },
      { project.id, project.name, project.description, project.is_active, project.updated_at })
    assert.equal(wire.sample.developer_key, wire.header(server:last(), "X-Developer-Key"))
    assert.is_nil(wire.header(server:last(), "X-API-Key"))
  end)

  it("sends the changes, and keeps the fields that the response lacks", function()
    serve { ["GET " .. PATH] = { 200, NEON }, ["PUT " .. PATH] = { 200, { id = PROJECT, description = "at night" } } }
    assert(project:refresh())
    assert.equal(project, project:update { description = "at night" })
    assert.same({ description = "at night" }, cjson.decode(server:last().body))
    assert.same({ "Neon", "at night" }, { project.name, project.description })
    assert(project:update {})
    assert.equal("{}", server:last().body)
  end)

  it("keeps its fields if a change is refused", function()
    serve { ["GET " .. PATH] = { 200, NEON }, ["PUT " .. PATH] = { 422, { detail = {
      { loc = { "body", "name" }, msg = "too long", type = "string_too_long" } } } } }
    assert(project:refresh())
    local done, message, err = project:update { name = ("x"):rep(256) }
    assert.is_nil(done)
    assert.same({ "invalid", "refused", "body.name" }, { err.kind, err.outcome, err.fields[1].loc })
    assert.is_truthy(message:find("body.name: too long", 1, true))
    assert.equal("Neon", project.name)
  end)

  it("is deleted, and then not found", function()
    serve { ["DELETE " .. PATH] = { 204, "" }, ["GET " .. PATH] = { 404, { detail = "Project not found" } } }
    assert.is_true(project:delete())
    local done, _, err = project:refresh()
    assert.is_nil(done)
    assert.same({ "not_found", "refused", 404 }, { err.kind, err.outcome, err.status })
  end)

  it("counts its users and keys", function()
    serve {
      ["GET " .. PATH .. "/stats"] = { 200, { users = COUNT, api_keys = COUNT } },
      ["GET " .. PATH .. "/stats?search=a%20b&is_active=false"] = { 200, { users = { total = 0, active = 0 } } },
    }
    local stats = assert(project:stats())
    assert.same({ "3", 2 }, { tostring(stats.users.total), stats.api_keys.active })
    stats = assert(project:stats { search = "a b", is_active = false })
    assert.same({ 0, nil }, { stats.users.total, stats.api_keys })
  end)

  it("lists its users in pages", function()
    serve {
      ["GET " .. PATH .. "/users?page=1&page_size=1"] = { 200, { users = { USER }, total = 2 } },
      ["GET " .. PATH .. "/users?page=2&page_size=1"] = { 200, {
        users = { { id = PROJECT, email = "eve@example.com" } }, total = 2 } },
      ["GET " .. PATH .. "/users?page=3&page_size=1"] = { 200, { users = {}, total = 2 } }, -- a full page is no end
      ["GET " .. PATH .. "/users?page=1&page_size=50&search=a%40b&is_active=true"] = { 200, {
        users = {}, total = 0, page = 1, page_size = 50 } },
    }
    local pages, emails = project:users { page_size = 1 }, {}
    assert.equal(0, #server:requests())
    for i, user in ipairs(assert(pages:all())) do emails[i] = user.email end
    assert.same({ "guest@example.com", "eve@example.com" }, emails)
    assert.equal(2, pages.total)
    local first = assert(pages:next())
    assert.same({ false, nil }, { first.is_active, first.full_name })
    assert.same({}, assert(project:users { search = "a@b", is_active = true }:all()))
  end)
end)

describe("all projects", function()
  local STATS, USERS = "GET /api/v1/projects/stats", "GET /api/v1/projects/users"

  it("are counted", function()
    serve {
      [STATS] = { 200, { projects = COUNT, users = COUNT, api_keys = COUNT } },
      [STATS .. "?search=neon&is_active=true&project_id=" .. PROJECT] = { 200, { projects = COUNT } },
    }
    assert.equal(3, assert(client:stats()).projects.total)
    assert.is_nil(assert(client:stats { search = "neon", is_active = true, project_id = PROJECT }).users)
  end)

  it("have users with their project", function()
    local user = { project_id = PROJECT, project_name = "Neon" }
    for name, value in pairs(USER) do user[name] = value end
    serve {
      [USERS .. "?page=4&page_size=100&search=guest&is_active=false&project_id=" .. PROJECT] = { 200, {
        users = { user }, total = 301, page = 4, page_size = 100 } },
    }
    local pages = client:users {
      page = 4, page_size = 100, search = "guest", is_active = false, project_id = PROJECT,
    }
    local one = assert(pages:next())
    assert.same({ "guest@example.com", PROJECT, "Neon" }, { one.email, one.project_id, one.project_name })
    assert.is_nil((pages:next()))
    assert.equal(1, #server:requests())
  end)
end)
