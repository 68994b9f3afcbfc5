/*
 * A WebSocket load client that is cheaper than any server it measures: one thread, io_uring or epoll, frames made beforehand.
 *
 *   cc -O3 -march=native -o load load.c
 *   echo 1 | load echo   port=8080 path=/echo connections=100 size=20 inflight=1 [warmup=0.1] [server=PID] [type=text] [io=uring|epoll]
 *   echo 1 | load fanout port=8080 path=/topic/a connections=1000 size=20 batch=16 [...]
 *            load idle   port=8080 path=/topic/a connections=19000
 *
 * echo: each connection keeps `inflight` messages going. fanout: a publisher and `connections` subscribers, all of one topic;
 * the next `batch` is published when everybody, the publisher included, has the last one. idle: holds connections.
 *
 * Prints "ready" once all connections are open. Each line of the input is then a number of seconds to measure, answered with a
 * line of JSON (by idle with its counts so far); until it comes, and between lines, pings are answered. The end of the input
 * closes all. Every message's length and place is checked, see `parse` for how much of the content; what is wrong ends the
 * program with a line on stderr.
 *
 * io=uring costs less for each message than any server on epoll, and needs Linux 6.12. Without io= it is used where there is one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 256 * 1024,
    EVENTS = 1024,
    CONTROL_PAYLOAD = 125,
    /* One source address has about 28,000 ports. */
    CONNECTIONS_PER_ADDRESS = 20000,
    /* Reading the clock twice for each message would be 1 % of a small one. */
    SENDS_PER_TIMING = 8,
    MESSAGES_PER_CHECK = 32,
    ALWAYS_CHECKED_BYTES = 64,
};

/* What a connection sends and expects: messages of different content in turn, so that one too many, too few or out of order is seen. */
struct script {
    uint32_t slots;
    size_t frame_bytes;
    uint8_t *payloads; /* slots payloads as the peer should see and echo them */
    uint8_t *frames;   /* the same masked, with headers; twice, so that any `slots` in a row are one piece of memory */
};

struct connection {
    int fd;
    const struct script *script;

    const uint8_t *out;
    size_t out_left;
    uint32_t owed; /* frames to send once `out` is through */
    uint32_t send_slot;
    uint64_t sent;

    bool in_frame;
    bool checking;
    bool fin;
    uint8_t opcode;
    uint8_t header_length;
    uint8_t header[10];
    uint32_t receive_slot;
    uint64_t payload_left;
    uint64_t message_bytes;
    uint64_t received;

    uint32_t sends_until_timing;
    uint32_t timed_left; /* messages until the timed one is back; 0: none is timed */
    uint64_t timed_at;

    uint8_t *pong; /* 6 bytes of header and key, then a ping's payload; allocated at the first ping */
    bool pong_due;

    bool sending; /* io_uring has what `out` points to */
};

enum mode { MODE_ECHO, MODE_FANOUT, MODE_IDLE, MODES };

enum io { IO_AUTO, IO_URING, IO_EPOLL };

static const char *const mode_names[MODES] = {"echo", "fanout", "idle"};

static struct {
    enum mode mode;
    const char *path;
    uint8_t opcode;
    int port;
    uint32_t connections;
    size_t size;
    uint32_t inflight;
    uint32_t batch;
    double warmup;
    int server;
    enum io io;
} options = {.path = "/", .opcode = 2, .connections = 1, .size = 20, .inflight = 1, .batch = 1, .warmup = 0.1};

static struct connection *connections;
static uint32_t connection_count;
static struct script shared;
static int poller;
static uint8_t buffer[BUFFER_BYTES];

static uint64_t messages;
static uint64_t pings;
static uint64_t closed;
static bool stopping;
static bool closing;
static bool input_is_ready;

/* fanout */
static uint64_t published;
static uint64_t awaited;
static uint64_t tick_started;

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static uint64_t clock_nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t now(void) { return clock_nanoseconds(CLOCK_MONOTONIC); }

/* ---- io_uring: requests in, completions out, and a ring of buffers that the kernel fills piece by piece (Linux 6.12) ---- */

enum {
    RING_REQUESTS = 4096,
    RING_COMPLETIONS = 32768,
    RING_BUFFERS = 16,
    RING_BUFFER_BYTES = 128 * 1024,
    RING_BUFFER_GROUP = 1,
    /* Not in every distribution's headers yet. */
    BUFFER_RING_INCREMENTAL = 2,
    COMPLETION_KEEPS_BUFFER = 16,
};

/* What a completion answers: the low bits of its user data, above them the connection. */
enum request { REQUEST_RECEIVE, REQUEST_SEND, REQUEST_INPUT, REQUEST_KINDS };

static struct {
    int fd;
    struct io_uring_sqe *requests;
    unsigned *request_tail;
    unsigned request_mask;
    unsigned pending;
    struct io_uring_cqe *completions;
    unsigned *completion_head;
    unsigned *completion_tail;
    unsigned completion_mask;
    struct io_uring_buf_ring *buffers;
    uint8_t *memory;
    uint32_t offsets[RING_BUFFERS];
} ring;

/* Whether connections wait on the ring, not on epoll. */
static bool on_ring;

static void ring_enter(unsigned wait, int milliseconds) {
    struct __kernel_timespec timeout = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000ll};
    struct io_uring_getevents_arg argument = {.ts = milliseconds < 0 ? 0 : (uint64_t)(uintptr_t)&timeout};
    long submitted = syscall(SYS_io_uring_enter, ring.fd, ring.pending, wait, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument);
    if (submitted >= 0) {
        ring.pending -= (unsigned)submitted;
    } else if (errno != EINTR && errno != ETIME && errno != EAGAIN && errno != EBUSY) {
        die("io_uring_enter: %s", strerror(errno));
    }
}

static struct io_uring_sqe *new_request(uint8_t operation, int fd, enum request kind, uint32_t index) {
    while (ring.pending == RING_REQUESTS) {
        ring_enter(0, -1);
    }
    unsigned tail = *ring.request_tail;
    struct io_uring_sqe *request = &ring.requests[tail & ring.request_mask];
    memset(request, 0, sizeof *request);
    request->opcode = operation;
    request->fd = fd;
    request->user_data = (uint64_t)index * REQUEST_KINDS + kind;
    __atomic_store_n(ring.request_tail, tail + 1, __ATOMIC_RELEASE);
    ring.pending++;
    return request;
}

static void give_buffer(uint16_t buffer) {
    uint16_t tail = ring.buffers->tail;
    struct io_uring_buf *entry = &ring.buffers->bufs[tail % RING_BUFFERS];
    ring.offsets[buffer] = 0;
    entry->addr = (uint64_t)(uintptr_t)(ring.memory + (size_t)buffer * RING_BUFFER_BYTES);
    entry->len = RING_BUFFER_BYTES;
    entry->bid = buffer;
    __atomic_store_n(&ring.buffers->tail, tail + 1, __ATOMIC_RELEASE);
}

static void *map_memory(int fd, size_t length, off_t offset) {
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED | MAP_POPULATE, fd, offset);
    if (memory == MAP_FAILED) {
        die("mmap: %s", strerror(errno));
    }
    return memory;
}

/* Returns false where the kernel has none, or is older than 6.12. */
static bool open_ring(void) {
    struct io_uring_params parameters = {.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        .cq_entries = RING_COMPLETIONS};
    ring.fd = (int)syscall(SYS_io_uring_setup, RING_REQUESTS, &parameters);
    if (ring.fd < 0) {
        return false;
    }
    size_t requests_end = parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned);
    size_t completions_end = parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
    uint8_t *queues = map_memory(ring.fd, requests_end > completions_end ? requests_end : completions_end, IORING_OFF_SQ_RING);
    ring.requests = map_memory(ring.fd, parameters.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
    ring.request_tail = (unsigned *)(queues + parameters.sq_off.tail);
    ring.request_mask = *(unsigned *)(queues + parameters.sq_off.ring_mask);
    ring.completions = (struct io_uring_cqe *)(queues + parameters.cq_off.cqes);
    ring.completion_head = (unsigned *)(queues + parameters.cq_off.head);
    ring.completion_tail = (unsigned *)(queues + parameters.cq_off.tail);
    ring.completion_mask = *(unsigned *)(queues + parameters.cq_off.ring_mask);
    for (unsigned i = 0; i < parameters.sq_entries; i++) {
        ((unsigned *)(queues + parameters.sq_off.array))[i] = i;
    }

    ring.memory = map_memory(-1, (size_t)RING_BUFFERS * RING_BUFFER_BYTES, 0);
    ring.buffers = map_memory(-1, RING_BUFFERS * sizeof(struct io_uring_buf), 0);
    struct io_uring_buf_reg registration = {.ring_addr = (uint64_t)(uintptr_t)ring.buffers, .ring_entries = RING_BUFFERS, .bgid = RING_BUFFER_GROUP};
    *(&registration.bgid + 1) = BUFFER_RING_INCREMENTAL;
    if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PBUF_RING, &registration, 1) != 0) {
        return false;
    }
    for (uint16_t i = 0; i < RING_BUFFERS; i++) {
        give_buffer(i);
    }
    return true;
}

static void request_receive(struct connection *c) {
    struct io_uring_sqe *request = new_request(IORING_OP_RECV, c->fd, REQUEST_RECEIVE, (uint32_t)(c - connections));
    request->flags = IOSQE_BUFFER_SELECT;
    request->buf_group = RING_BUFFER_GROUP;
    request->ioprio = IORING_RECV_MULTISHOT;
}

static void request_send(struct connection *c) {
    struct io_uring_sqe *request = new_request(IORING_OP_SEND, c->fd, REQUEST_SEND, (uint32_t)(c - connections));
    request->addr = (uint64_t)(uintptr_t)c->out;
    request->len = (uint32_t)(c->out_left > INT32_MAX ? INT32_MAX : c->out_left);
    request->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
    c->sending = true;
}

/* ---- Latency: buckets of 1/64, so that a percentile is right to 1.6 %. ---- */

static uint64_t buckets[64 * 64];
static uint64_t timings;

static void record(uint64_t nanoseconds) {
    unsigned exponent = nanoseconds < 128 ? 0 : 57 - (unsigned)__builtin_clzll(nanoseconds);
    buckets[exponent * 64 + (nanoseconds >> exponent)]++;
    timings++;
}

static double percentile_microseconds(double share) {
    uint64_t wanted = (uint64_t)(share * (double)timings), seen = 0;
    for (unsigned i = 0; i < sizeof buckets / sizeof *buckets; i++) {
        seen += buckets[i];
        if (seen > wanted) {
            /* Exponent e above 0 has buckets (e + 1) * 64 on, exponent 0 all below 128. */
            unsigned exponent = i < 128 ? 0 : i / 64 - 1;
            return ((double)(i - exponent * 64) + 0.5) * (double)(1ull << exponent) / 1000;
        }
    }
    return 0;
}

/* ---- Frames (RFC 6455 section 5.2) ---- */

static size_t write_header(uint8_t *target, uint8_t opcode, uint64_t length, const uint8_t key[4]) {
    size_t extra = length <= 125 ? 0 : length <= 65535 ? 2 : 8;
    target[0] = 0x80 | opcode;
    target[1] = 0x80 | (uint8_t)(extra == 0 ? length : extra == 2 ? 126 : 127);
    for (size_t i = 0; i < extra; i++) {
        target[2 + i] = (uint8_t)(length >> (8 * (extra - 1 - i)));
    }
    memcpy(target + 2 + extra, key, 4);
    return 2 + extra + 4;
}

static struct script make_script(uint32_t slots, uint32_t seed) {
    const uint8_t key[4] = {(uint8_t)(0x12 + seed), (uint8_t)(0x34 + (seed >> 8)), 0x56, 0x78};
    uint8_t header[14];
    size_t header_bytes = write_header(header, options.opcode, options.size, key);
    struct script script = {.slots = slots, .frame_bytes = header_bytes + options.size};
    script.payloads = malloc(slots * options.size + 1);
    script.frames = malloc(2 * slots * script.frame_bytes);
    for (uint32_t slot = 0; slot < slots; slot++) {
        uint8_t *payload = script.payloads + slot * options.size;
        uint8_t *frame = script.frames + slot * script.frame_bytes;
        memcpy(frame, header, header_bytes);
        for (size_t i = 0; i < options.size; i++) {
            payload[i] = (uint8_t)(' ' + (i * 7 + i / 90 * 3 + slot * 13 + seed * 31) % 90); /* printable: it may be sent as text */
            frame[header_bytes + i] = payload[i] ^ key[i & 3];
        }
    }
    memcpy(script.frames + slots * script.frame_bytes, script.frames, slots * script.frame_bytes);
    return script;
}

/* ---- Sending ---- */

/* While connections are opened the ring is not used yet. */
static void flush(struct connection *c) {
    if (on_ring) {
        if (c->out_left > 0 && !c->sending) {
            request_send(c);
        }
        return;
    }
    while (c->out_left > 0) {
        ssize_t sent = send(c->fd, c->out, c->out_left, MSG_NOSIGNAL);
        if (sent >= 0) {
            c->out += sent;
            c->out_left -= (size_t)sent;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            die("connection %u: send: %s", (unsigned)(c - connections), strerror(errno));
        }
    }
}

/* All that is owed in one write, unless an earlier one is not through: then when the socket takes more. */
static void send_owed(struct connection *c) {
    flush(c);
    if (c->out_left == 0 && c->pong_due) {
        c->pong_due = false;
        c->out = c->pong;
        c->out_left = 6 + (c->pong[1] & 0x7F);
        flush(c);
    }
    if (c->out_left == 0 && c->owed > 0) {
        c->out = c->script->frames + c->send_slot * c->script->frame_bytes;
        c->out_left = c->owed * c->script->frame_bytes;
        c->send_slot = (c->send_slot + c->owed) % c->script->slots;
        c->owed = 0;
        flush(c);
    }
}

/* Sent at the end of the turn. */
static void owe_messages(struct connection *c, uint32_t count) {
    if (c->timed_left == 0 && --c->sends_until_timing == 0) {
        c->sends_until_timing = SENDS_PER_TIMING;
        c->timed_left = options.inflight; /* the last of those now under way */
        c->timed_at = now();
    }
    c->sent += count;
    c->owed += count;
}

static void publish(void) {
    published += options.batch;
    awaited = (uint64_t)connection_count * options.batch;
    tick_started = now();
    connections[0].owed = options.batch;
    send_owed(&connections[0]); /* now: this turn's events need not include the publisher's */
}

static void send_close(struct connection *c) {
    static const uint8_t close_frame[8] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8};
    send(c->fd, close_frame, sizeof close_frame, MSG_NOSIGNAL);
}

/* ---- Receiving ---- */

static void on_messages(struct connection *c, uint32_t count) {
    messages += count;
    if (options.mode == MODE_IDLE) {
        return;
    }

    if (options.mode == MODE_FANOUT) {
        if (c->received > published) {
            die("connection %u got more than was published", (unsigned)(c - connections));
        }
        awaited -= count;
        if (awaited == 0) {
            record(now() - tick_started);
            if (!stopping) {
                publish();
            }
        }
        return;
    }

    if (c->received > c->sent) {
        die("connection %u got more than it sent", (unsigned)(c - connections));
    }
    awaited -= count;
    if (c->timed_left > 0) {
        if (count >= c->timed_left) {
            record(now() - c->timed_at);
            c->timed_left = 0;
        } else {
            c->timed_left -= count;
        }
    }
    if (!stopping) {
        awaited += count;
        owe_messages(c, count);
    }
}

static void on_control(struct connection *c) {
    if (c->opcode == 8 && closing) {
        return;
    }
    if (c->opcode == 8 && options.mode == MODE_IDLE) {
        send_close(c);
    } else if (c->opcode == 8) {
        die("connection %u: the server closes with %u", (unsigned)(c - connections), c->pong[1] & 0x7F ? c->pong[6] << 8 | c->pong[7] : 1005);
    }
    if (c->opcode == 9) {
        pings++;
        c->pong_due = true;
    }
}

static void begin_frame(struct connection *c) {
    const uint8_t *header = c->header;
    c->fin = (header[0] & 0x80) != 0;
    c->opcode = header[0] & 0x0F;
    c->payload_left = header[1];
    if (header[1] >= 126) {
        c->payload_left = 0;
        for (unsigned i = 2; i < c->header_length; i++) {
            c->payload_left = c->payload_left << 8 | header[i];
        }
    }
    c->header_length = 0;
    c->in_frame = true;
    if (header[0] & 0x70 || header[1] & 0x80) {
        die("connection %u: a frame with a reserved bit or a mask", (unsigned)(c - connections));
    }
    if (c->opcode >= 8) {
        static const uint8_t key[4];
        if (!c->pong) {
            c->pong = malloc(6 + CONTROL_PAYLOAD);
        }
        if (c->payload_left > CONTROL_PAYLOAD || (c->out_left > 0 && c->out >= c->pong && c->out <= c->pong + 6 + CONTROL_PAYLOAD)) {
            die("connection %u: a control frame too long, or too early", (unsigned)(c - connections));
        }
        write_header(c->pong, 10, c->payload_left, key);
    } else {
        bool first = c->message_bytes == 0;
        if (first && c->opcode != options.opcode && options.mode != MODE_IDLE) {
            die("connection %u: opcode %u", (unsigned)(c - connections), c->opcode);
        }
        if (first) {
            c->checking = options.size <= ALWAYS_CHECKED_BYTES || c->received < c->script->slots || c->received % MESSAGES_PER_CHECK == 0;
        }
    }
}

static const uint8_t *read_header(struct connection *c, const uint8_t *p, const uint8_t *end) {
    unsigned needed = 2;
    while (p < end) {
        c->header[c->header_length++] = *p++;
        if (c->header_length == 2) {
            needed = (c->header[1] & 0x7F) < 126 ? 2 : (c->header[1] & 0x7F) == 126 ? 4 : 10;
        } else if (c->header_length > 2) {
            needed = c->header[1] == 126 ? 4 : 10;
        }
        if (c->header_length == needed) {
            begin_frame(c);
            break;
        }
    }
    return p;
}

static void check(struct connection *c, const uint8_t *data, size_t length) {
    if (c->message_bytes + length > options.size) {
        die("connection %u: a message longer than %zu", (unsigned)(c - connections), options.size);
    }
    if (c->checking && memcmp(data, c->script->payloads + c->receive_slot * options.size + c->message_bytes, length) != 0) {
        die("connection %u: message %llu has other content", (unsigned)(c - connections), (unsigned long long)c->received);
    }
}

/* Returns how many messages ended. Small messages are compared as a whole, of large ones the first and every 32nd. */
static uint32_t parse(struct connection *c, const uint8_t *p, size_t length) {
    const uint8_t *end = p + length;
    uint32_t ended = 0;
    for (;;) {
        if (!c->in_frame) {
            p = read_header(c, p, end);
            if (!c->in_frame) {
                return ended;
            }
        }
        size_t available = (size_t)(end - p);
        size_t piece = c->payload_left < available ? c->payload_left : available;
        if (c->opcode >= 8) {
            memcpy(c->pong + 6 + (c->pong[1] & 0x7F) - c->payload_left, p, piece);
        } else {
            if (options.mode != MODE_IDLE) {
                check(c, p, piece);
            }
            c->message_bytes += piece;
        }
        p += piece;
        c->payload_left -= piece;
        if (c->payload_left > 0) {
            return ended;
        }
        c->in_frame = false;
        if (c->opcode >= 8) {
            on_control(c);
        } else if (c->fin) {
            if (c->message_bytes != options.size && options.mode != MODE_IDLE) {
                die("connection %u: a message of %llu bytes", (unsigned)(c - connections), (unsigned long long)c->message_bytes);
            }
            c->message_bytes = 0;
            c->receive_slot = c->receive_slot + 1 == c->script->slots ? 0 : c->receive_slot + 1;
            c->received++;
            ended++;
        }
    }
}

static void on_bytes(struct connection *c, const uint8_t *bytes, size_t length) {
    uint32_t ended = parse(c, bytes, length);
    if (ended > 0) {
        on_messages(c, ended);
    }
}

static void on_end(struct connection *c, int error) {
    if (options.mode != MODE_IDLE && !closing) {
        die("connection %u: %s", (unsigned)(c - connections), error == 0 ? "closed by the server" : strerror(error));
    }
    closed++;
    close(c->fd);
}

static void receive(struct connection *c) {
    for (;;) {
        ssize_t length = recv(c->fd, buffer, BUFFER_BYTES, 0);
        if (length < 0 && errno == EINTR) {
            continue;
        }
        if (length < 0 && errno == EAGAIN) {
            return;
        }
        if (length <= 0) {
            on_end(c, length == 0 ? 0 : errno);
            return;
        }
        on_bytes(c, buffer, (size_t)length);
        if (length < BUFFER_BYTES) {
            return; /* edge-triggered: a short read has emptied the socket, what comes later is a new event */
        }
    }
}

/* ---- Opening; blocking, one connection after the other ---- */

static int connect_socket(uint32_t index) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + index / CONNECTIONS_PER_ADDRESS)};
    struct sockaddr_in remote = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)options.port)};
    struct timeval patience = {.tv_sec = 10};
    if (fd < 0) {
        die("socket %u: %s", index, strerror(errno));
    }
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (bind(fd, (struct sockaddr *)&local, sizeof local) != 0 || connect(fd, (struct sockaddr *)&remote, sizeof remote) != 0) {
        die("connection %u: %s", index, strerror(errno));
    }
    return fd;
}

static void send_all(struct connection *c, const void *data, size_t length) {
    c->out = data;
    c->out_left = length;
    flush(c);
}

static void shake_hands(struct connection *c) {
    char request[1024];
    int length = snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", options.path, options.port);
    send_all(c, request, (size_t)length);

    /* Peeked at, so that what follows it stays in the socket. */
    char response[4096] = {0};
    char *end = NULL;
    while (!end) {
        ssize_t peeked = recv(c->fd, response, sizeof response - 1, MSG_PEEK);
        if (peeked <= 0 || peeked == sizeof response - 1) {
            die("connection %u: no answer to the opening handshake", (unsigned)(c - connections));
        }
        end = strstr(response, "\r\n\r\n");
    }
    recv(c->fd, response, (size_t)(end + 4 - response), 0);
    end[4] = 0;
    /* The key and its answer are those of RFC 6455 section 1.3. */
    if (strncmp(response, "HTTP/1.1 101 ", 13) != 0 || !strstr(response, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
        die("connection %u: the opening handshake was answered with: %s", (unsigned)(c - connections), response);
    }
}

/* A server answers a ping behind whatever it does at the opening, so that who has the pong is also subscribed. */
static void await_open(struct connection *c) {
    static const uint8_t ping[6] = {0x89, 0x80, 1, 2, 3, 4};
    uint8_t pong[2];
    send_all(c, ping, sizeof ping);
    if (recv(c->fd, pong, sizeof pong, MSG_WAITALL) != sizeof pong || pong[0] != 0x8A || pong[1] != 0) {
        die("connection %u: no pong", (unsigned)(c - connections));
    }
}

/* The first message's content is this connection's own, and its masking key too: nothing may be mixed up between connections. */
static void check_own_echo(struct connection *c, uint32_t index) {
    struct script own = make_script(1, index + 1);
    c->script = &own;
    send_all(c, own.frames, own.frame_bytes);
    while (c->received == 0) {
        ssize_t length = recv(c->fd, buffer, BUFFER_BYTES, 0);
        if (length <= 0) {
            die("connection %u: no echo", index);
        }
        parse(c, buffer, (size_t)length);
    }
    free(own.payloads);
    free(own.frames);
    c->receive_slot = 0;
    c->received = 0;
}

static void open_connection(uint32_t index) {
    struct connection *c = &connections[index];
    c->fd = connect_socket(index);
    c->sends_until_timing = 1 + index % SENDS_PER_TIMING;
    shake_hands(c);
    await_open(c);
    if (options.mode == MODE_ECHO) {
        check_own_echo(c, index);
    }
    c->script = &shared;
    if (options.io != IO_EPOLL) {
        return; /* blocking: of a non-blocking socket io_uring reports that there is nothing, instead of waiting for something */
    }
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void open_all(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (options.io != IO_EPOLL && !open_ring()) {
        if (options.io == IO_URING) {
            die("io=uring needs Linux 6.12: %s", strerror(errno));
        }
        options.io = IO_EPOLL;
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    connection_count = options.connections + (options.mode == MODE_FANOUT ? 1 : 0);
    connections = calloc(connection_count, sizeof *connections);
    shared = make_script(options.mode == MODE_FANOUT ? options.batch : options.inflight, 0);
    for (uint32_t i = 0; i < connection_count; i++) {
        open_connection(i);
    }
    on_ring = options.io != IO_EPOLL;
    if (on_ring) {
        for (uint32_t i = 0; i < connection_count; i++) {
            request_receive(&connections[i]);
        }
    }
}

/* ---- Running ---- */

/* First all receives, then all sends: one after the other for each connection costs 3 % more, the processor's caches being what they are. */
static void turn_epoll(int milliseconds) {
    static struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, milliseconds);
    for (int i = 0; i < count; i++) {
        struct connection *c = events[i].data.ptr;
        if (!c) {
            input_is_ready = true;
            continue;
        }
        if (events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
            receive(c);
        }
    }
    for (int i = 0; i < count; i++) {
        struct connection *c = events[i].data.ptr;
        if (c && (c->out_left > 0 || c->owed > 0 || c->pong_due)) {
            send_owed(c);
        }
    }
}

static void on_received(struct connection *c, const struct io_uring_cqe *completion) {
    if (completion->res > 0) {
        uint16_t number = (uint16_t)(completion->flags >> IORING_CQE_BUFFER_SHIFT);
        on_bytes(c, ring.memory + (size_t)number * RING_BUFFER_BYTES + ring.offsets[number], (size_t)completion->res);
        ring.offsets[number] += (uint32_t)completion->res;
        if (!(completion->flags & COMPLETION_KEEPS_BUFFER)) {
            give_buffer(number);
        }
    }
    if (completion->flags & IORING_CQE_F_MORE) {
        return;
    }
    if (completion->res > 0 || completion->res == -ENOBUFS) {
        request_receive(c);
    } else {
        on_end(c, -completion->res);
    }
}

static void on_sent(struct connection *c, int result) {
    c->sending = false;
    if (result < 0) {
        if (!closing) {
            die("connection %u: send: %s", (unsigned)(c - connections), strerror(-result));
        }
        return;
    }
    c->out += result;
    c->out_left -= (size_t)result;
}

/* What is sent leaves with the next turn, after all receives of this one. */
static void turn_uring(int milliseconds) {
    ring_enter(1, milliseconds);
    unsigned head = *ring.completion_head, tail = __atomic_load_n(ring.completion_tail, __ATOMIC_ACQUIRE);
    for (; head != tail; head++) {
        struct io_uring_cqe completion = ring.completions[head & ring.completion_mask];
        struct connection *c = &connections[completion.user_data / REQUEST_KINDS];
        __atomic_store_n(ring.completion_head, head + 1, __ATOMIC_RELEASE);
        switch ((enum request)(completion.user_data % REQUEST_KINDS)) {
        case REQUEST_RECEIVE:
            on_received(c, &completion);
            break;
        case REQUEST_SEND:
            on_sent(c, completion.res);
            break;
        default:
            input_is_ready = true;
            continue;
        }
        if (!closing && (c->out_left > 0 || c->owed > 0 || c->pong_due)) {
            send_owed(c);
        }
    }
}

static void turn(int milliseconds) {
    if (on_ring) {
        turn_uring(milliseconds);
    } else {
        turn_epoll(milliseconds);
    }
}

struct sample {
    uint64_t time;
    uint64_t messages;
    uint64_t client;
    uint64_t server;
    uint64_t idle; /* of cores 0 and 1 together */
};

/* In a virtual machine what the host takes is not idle either. */
static uint64_t idle_nanoseconds(void) {
    FILE *file = fopen("/proc/stat", "r");
    char line[512];
    unsigned core;
    unsigned long long idle, waiting, ticks = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "cpu%u %*u %*u %*u %llu %llu", &core, &idle, &waiting) == 3 && core < 2) {
            ticks += idle + waiting;
        }
    }
    if (file) {
        fclose(file);
    }
    return ticks * 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
}

static struct sample take_sample(void) {
    struct sample sample = {.time = now(), .messages = messages, .client = clock_nanoseconds(CLOCK_PROCESS_CPUTIME_ID), .idle = idle_nanoseconds()};
    clockid_t clock;
    if (options.server > 0) {
        if (clock_getcpuclockid(options.server, &clock) != 0) {
            die("there is no process %d", options.server);
        }
        sample.server = clock_nanoseconds(clock);
    }
    return sample;
}

static void run_until(uint64_t deadline) {
    uint64_t seen = messages, seen_at = now();
    for (;;) {
        uint64_t time = now();
        if (time >= deadline || (stopping && awaited == 0)) {
            return;
        }
        if (messages != seen) {
            seen = messages;
            seen_at = time;
        } else if (time - seen_at > 10000000000u) {
            die("nothing came for 10 s, %llu messages are missing", (unsigned long long)awaited);
        }
        uint64_t left = (deadline - time) / 1000000;
        turn(left > 1000 ? 1000 : (int)left + 1);
    }
}

static void measure(double seconds) {
    stopping = false;
    if (options.mode == MODE_FANOUT) {
        publish();
    } else {
        awaited = (uint64_t)connection_count * options.inflight;
        for (uint32_t i = 0; i < connection_count; i++) {
            owe_messages(&connections[i], options.inflight);
            send_owed(&connections[i]);
        }
    }
    run_until(now() + (uint64_t)(options.warmup * 1e9));
    memset(buckets, 0, sizeof buckets);
    timings = 0;
    struct sample start = take_sample();
    run_until(start.time + (uint64_t)(seconds * 1e9));
    struct sample end = take_sample();
    double p50 = percentile_microseconds(0.50), p99 = percentile_microseconds(0.99);

    /* What is still under way has to come, and to be right. */
    stopping = true;
    run_until(UINT64_MAX);

    double elapsed = (double)(end.time - start.time), count = (double)(end.messages - start.messages);
    double client = (double)(end.client - start.client), server = (double)(end.server - start.server);
    double others = 2 * elapsed - (double)(end.idle - start.idle) - client - server;
    printf("{\"messages\":%.0f,\"seconds\":%.4f,\"messagesPerSecond\":%.1f,\"clientBusy\":%.4f,\"serverBusy\":%.4f,\"othersBusy\":%.4f,"
           "\"serverMicroseconds\":%.5f,\"p50Microseconds\":%.2f,\"p99Microseconds\":%.2f}\n",
        count, elapsed / 1e9, count / elapsed * 1e9, client / elapsed, server / elapsed, others / elapsed,
        count > 0 ? server / count / 1000 : 0, p50, p99);
}

static void report(void) {
    printf("{\"connections\":%u,\"closed\":%llu,\"pings\":%llu,\"messages\":%llu}\n", connection_count, (unsigned long long)closed,
        (unsigned long long)pings, (unsigned long long)messages);
}

/* A closing handshake for all, so that the server under test ends in order. */
static void close_all(void) {
    uint64_t deadline = now() + 1000000000u;
    closing = true;
    if (on_ring) {
        for (uint32_t i = 0; i < connection_count; i++) {
            send_close(&connections[i]);
        }
        while (closed < connection_count && now() < deadline) {
            turn(100);
        }
        return;
    }
    for (uint32_t i = 0; i < connection_count; i++) {
        fcntl(connections[i].fd, F_SETFL, 0);
        send_close(&connections[i]);
    }
    for (uint32_t i = 0; i < connection_count; i++) {
        struct timeval patience = {.tv_sec = 1};
        setsockopt(connections[i].fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        while (recv(connections[i].fd, buffer, BUFFER_BYTES, 0) > 0) {
        }
        close(connections[i].fd);
    }
}

/* The next line of our input, pings being answered until it comes; NULL at the end. */
static const char *next_line(void) {
    static char input[256], line[256];
    static size_t length;
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = NULL};
    char *end;
    while (!(end = memchr(input, '\n', length))) {
        if (length == sizeof input) {
            die("the line is too long");
        }
        if (on_ring) {
            new_request(IORING_OP_POLL_ADD, STDIN_FILENO, REQUEST_INPUT, 0)->poll32_events = POLLIN;
        } else {
            epoll_ctl(poller, EPOLL_CTL_MOD, STDIN_FILENO, &event);
        }
        input_is_ready = false;
        while (!input_is_ready) {
            turn(-1);
        }
        ssize_t count = read(STDIN_FILENO, input + length, sizeof input - length);
        if (count <= 0) {
            return NULL;
        }
        length += (size_t)count;
    }
    size_t line_length = (size_t)(end + 1 - input);
    memcpy(line, input, line_length - 1);
    line[line_length - 1] = 0;
    memmove(input, end + 1, length -= line_length);
    return line;
}

static void obey(void) {
    /* Only while a line is awaited: the end of the input would wake every turn of a measurement. */
    struct epoll_event event = {.events = EPOLLONESHOT, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0) {
        die("the input must be a pipe or a terminal");
    }
    printf("ready\n");
    fflush(stdout);
    const char *line;
    while ((line = next_line())) {
        if (options.mode == MODE_IDLE) {
            report();
        } else {
            measure(atof(line));
        }
        fflush(stdout);
    }
    close_all();
}

static void parse_option(char *argument) {
    char *value = strchr(argument, '=');
    if (!value) {
        die("%s: name=value is expected", argument);
    }
    *value++ = 0;
    if (strcmp(argument, "port") == 0) options.port = atoi(value);
    else if (strcmp(argument, "path") == 0) options.path = value;
    else if (strcmp(argument, "type") == 0) options.opcode = strcmp(value, "text") == 0 ? 1 : 2;
    else if (strcmp(argument, "connections") == 0) options.connections = (uint32_t)atoi(value);
    else if (strcmp(argument, "size") == 0) options.size = (size_t)atol(value);
    else if (strcmp(argument, "inflight") == 0) options.inflight = (uint32_t)atoi(value);
    else if (strcmp(argument, "batch") == 0) options.batch = (uint32_t)atoi(value);
    else if (strcmp(argument, "warmup") == 0) options.warmup = atof(value);
    else if (strcmp(argument, "server") == 0) options.server = atoi(value);
    else if (strcmp(argument, "io") == 0) options.io = strcmp(value, "uring") == 0 ? IO_URING : IO_EPOLL;
    else die("%s is unknown", argument);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        die("echo, fanout or idle, then name=value: see the head of load.c");
    }
    while (options.mode < MODES && strcmp(argv[1], mode_names[options.mode]) != 0) {
        options.mode++;
    }
    if (options.mode == MODES) {
        die("%s is neither echo nor fanout nor idle", argv[1]);
    }
    for (int i = 2; i < argc; i++) {
        parse_option(argv[i]);
    }
    if (options.port <= 0 || options.connections == 0 || options.inflight == 0 || options.batch == 0) {
        die("port, connections, inflight and batch must be above 0");
    }
    open_all();
    obey();
    return 0;
}
