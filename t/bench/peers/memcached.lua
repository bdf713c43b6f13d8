-- The text protocol of memcached over a cosocket and its connection pool: what
-- OpenResty's client does for a get().

local _M = {}


function _M.get(port, key)
    local socket = ngx.socket.tcp()
    local ok, err = socket:connect("127.0.0.1", port, { pool_size = 64 })

    if not ok then
        return nil, err
    end

    ok, err = socket:send({ "get ", key, "\r\n" })

    if not ok then
        return nil, err
    end

    local line
    line, err = socket:receive()

    if not line then
        return nil, err
    end

    local length = line:match("^VALUE %S+ %d+ (%d+)$")

    if not length then
        return nil, line
    end

    local value
    value, err = socket:receive(tonumber(length))

    if not value then
        return nil, err
    end

    -- the line end of the value, and END

    if not socket:receive(7) then
        return nil, "cut short"
    end

    socket:setkeepalive(60000, 64)

    return value
end


return _M
