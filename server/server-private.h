/*
 * The server: the agent inside Node. Starts hosts and sees them die, enters them when JavaScript calls, and executes
 * their calls on the real env. Everything that comes from a host is hostile until it has been checked.
 *
 * All of this runs on the JavaScript thread of its agent; only hosts/ knows other threads.
 */
#ifndef NR_SERVER_PRIVATE_H
#define NR_SERVER_PRIVATE_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "napi.pb-c.h"
#include "opcodes.h"
#include "server/hosts/host.h"
#include "server/memory/cells.h"
#include "server/memory/mirror.h"
#include "wire/arena.h"
#include "wire/cold.h"
#include "wire/environ.h"
#include "wire/handles.h"
#include "wire/port.h"
#include "wire/protocol.h"
#include "wire/table.h"
#include "wire/track.h"
#include "wire/value.h"

struct nr_agent;
struct nr_async;
struct nr_connection;
struct nr_env;
struct nr_launch;
struct nr_launch_files;
struct nr_place;
struct nr_shared_queue;
struct nr_times;

/* What lives behind an id in the server's tables. */
enum nr_sort {
  NR_SORT_WRAP = 1,
  NR_SORT_REFERENCE,
  NR_SORT_DEFERRED,
  NR_SORT_PAIR,
  NR_SORT_HOOK,
  NR_SORT_ASYNC, /* an async context, of a work too */
  NR_SORT_THREADSAFE,
  NR_SORT_ASYNC_HOOK,
  NR_SORT_REPORT, /* of an error: its connection */
};

/* One JavaScript thread's agent: the instance data of the env that loaded it first. */
struct nr_agent {
  napi_env napi; /* of the agent itself */
  char *host_path;
  struct nr_connection *connections;
  struct nr_table *objects; /* wraps and externals of all connections: their ids are what the real napi_wrap() holds */
  napi_ref plain_check;     /* a function: are the prototypes as they were made? */
  struct nr_prepared *prepared; /* what the next process.dlopen() of the agent is for */
  napi_ref report_of;           /* a function: the report of an error */
  napi_ref on_death;            /* a function: hears of each host that has died, once */
  napi_ref room_of;             /* a function: how long may a resizable ArrayBuffer become, or a SharedArrayBuffer */
  uint64_t buffer_max;          /* buffer.constants.MAX_LENGTH: the real functions throw for more */
  struct nr_tracker *tracker;   /* NULL: none yet, or none here */
  struct nr_watched *watched;   /* the parts of pairs of all connections that it tracks; with the tracker */
  uint32_t watched_quiet;       /* questions without news since a part of them was asked for */
  uint32_t watched_asked;       /* questions */
  struct nr_pair *cut;          /* those that are shorter than what is tracked of them (memory/cut.c) */
  uint32_t noisy;        /* bytes that are compared since something else on their pages is written all the time */
  uint32_t small;        /* parts of less than a page that the kernel tells of (memory/tracking.c) */
  bool no_tracker;       /* this kernel tracks no writes */
  napi_ref watch_heap;   /* of server/lib/collections.js: it tells of collections from then on; NULL: it does */
  napi_ref canary;       /* weak: an object that dies in the next collection; NULL: there is none */
  napi_ref on_call;      /* of server/lib/restart.js: (serial), a call of a host that is dead */
  napi_ref construct;    /* of the same: (next, newTarget, ...args) */
  napi_ref create;       /* Object.create, as the engine made it; NULL: the program has another one */
  napi_ref snapshot;     /* of server/lib/snapshot.js: (object, room, first) */
  void *snapshot_values; /* of the same, which holds them: NR_SNAPSHOT_MAX values on the wire; NULL: it cannot be */
  bool plain;            /* the prototypes were, when JavaScript last had the turn */
  bool plain_known;
  bool probes;                /* restart.c asks functions who they are */
  struct nr_callback *probed; /* the answer */
  napi_ref on_exit;           /* a function of server/lib/host.js: (serial, code, signal, reason, pid) */
  uint32_t serials;           /* of connections */
  uint32_t serving;           /* calls of hosts that are being executed, nested ones too */
  uintptr_t stack_careful;    /* below this address every entry asks V8 whether there is stack left */
  struct nr_ending *ending;   /* what its end takes (ending.c) */
  uint32_t envs;              /* of addons, not yet torn down */
  struct nr_place *places;    /* those envs */
  uint32_t place_ids;
  uint32_t place_last;   /* that an addon was loaded into */
  bool works;            /* addons have made async works: at the end they are waited for (ending.c) */
  bool worker;           /* not Node's main thread */
  uintptr_t stack_floor; /* below this address no entry begins: V8 does not measure what calls of API functions take */
};

/* This thread's agent; NULL before the agent was loaded in it and after its end. */
struct nr_agent *nr_agent_current(void);
/* ask.c: calls a JavaScript function of the agent's own. recv: NULL: undefined. No exception may be pending. False: it
 * threw, which nobody will see; but when that was the order to stop one is pending then. */
bool nr_ask_js(napi_env napi, napi_value recv, napi_value function, size_t argc, const napi_value *argv,
               napi_value *result);
/* The hosts have exited, nothing of the agent is used any more but by Node's loop. */
void nr_agent_gone(struct nr_agent *agent);

/* ---- ending.c -------------------------------------------------------------------------------------------------------
 */

/* Has Node wait at its end for what ending.c does. False: it cannot be had. */
bool nr_ending_prepare(struct nr_agent *agent);
/* The env is being torn down: what its hosts still do has a limit from now on. */
void nr_ending_begin(struct nr_agent *agent);
/* The env's addon makes an async work. At the end Node waits for its own before it lets go of anything: a hook, which
 * comes before all others, waits for those of hosts. */
void nr_ending_awaits(struct nr_env *env);
/* Node has been given a hook, which may be one of its own (for a threadsafe function). They run in reverse. */
void nr_ending_hooked(struct nr_agent *agent);
/* External bytes are about to go. At the end they do so before any hook runs, and a work may still write them. */
void nr_ending_of_bytes(struct nr_agent *agent);
/* The moment at which a host that has not finished is ended, CLOCK_MONOTONIC nanoseconds; 0: none. */
uint64_t nr_ending_deadline(const struct nr_agent *agent);
/* The same for what a Worker has been waiting for: 0 as long as nobody has terminated it. */
uint64_t nr_ending_patience(struct nr_agent *agent);

/* An isolated addon's env: the real one that Node made for it. */
struct nr_env {
  struct nr_connection *connection;
  napi_env napi; /* NULL after its teardown */
  uint32_t number;
  int32_t api_version;
  char *file;
  struct nr_callback *callbacks; /* all that live, for the teardown */
  struct nr_place *place;        /* NULL after its teardown */
  struct nr_env *next;           /* of that place */
  struct nr_wrap *instance_data; /* of the addon; NULL: none with a finalizer */
  napi_ref instance_reference;   /* what holds its place among the finalizers */
  struct nr_wrap *strings;       /* external ones with a finalizer */
  bool drains;                   /* an entry is on its way that collects what basic finalizers called */
  bool works;                    /* its addon has made async works */
  bool ending;                   /* its teardown has begun */
  bool initialises;              /* its addon's Init runs */
};

/* A JavaScript function of the host: the data pointer of its trampoline. */
struct nr_callback {
  struct nr_env *env;
  struct nr_connection *connection; /* counted */
  nr_id id;                         /* in the host */
  napi_ref successor;               /* the function of another host that is called instead (restart.c); NULL: none */
  struct nr_callback *next;
  struct nr_callback **link;
  bool member;      /* of a class: `this` is likely wrapped */
  bool looks;       /* into externals that it is given */
  bool builds;      /* has set properties of fresh objects, so it wants to know that prototypes are plain */
  uint8_t calls;    /* the first few, saturating */
  uint8_t unlooked; /* calls, one after the other, in which it did not ask what its arguments wrap, saturating */
};

/* An open handle scope of the host, mirrored. */
struct nr_scope {
  bool escapable;
  union {
    napi_handle_scope plain;
    napi_escapable_handle_scope escapable;
  } real;
  napi_env napi;
  uint32_t top; /* of `chosen` when it was opened */
};

/* An open callback scope of the host. */
struct nr_callback_scope {
  napi_callback_scope real;
  napi_env napi;
  struct nr_async *async;
};

/* What JavaScript has let go of and the host does not know yet (release.c). */
enum nr_released { NR_RELEASED_CALLBACK, NR_RELEASED_OBJECT, NR_RELEASED_PAIR, NR_RELEASED_SORTS };
struct nr_release_list {
  nr_id *ids;
  uint32_t count;
  uint32_t room;
};

/* Finalizers that collections have called and the host has not been told of (release.c). */
struct nr_basic_list {
  struct nr_basic *items;
  uint32_t sent; /* from the beginning */
  uint32_t count;
  uint32_t room;
};

/* How long new pairs live. */
enum nr_lifetime {
  NR_LIFETIME_UNKNOWN,  /* taken to be long */
  NR_LIFETIME_FOUND,    /* long: one has been found written that nobody had passed */
  NR_LIFETIME_PRESUMED, /* that of small ones, and of results, short: so many have come */
  NR_LIFETIME_SHORT,    /* as a collection has shown */
};

/* This thread's end of the channel to one host: counted, since frames of the stack and trampolines outlive the host. */
struct nr_put_aside;
struct nr_aside_list {
  struct nr_put_aside *first, *last; /* NULL: none */
  size_t bytes;
};

struct nr_connection {
  uint32_t references;
  uint32_t serial;            /* counts up in a thread: what JavaScript knows it by */
  uint32_t call_ms;           /* that an entry may take with all that is nested in it; 0: as long as it takes */
  uint32_t load_ms;           /* the same for a load */
  uint32_t limit_ms;          /* the one of the entry that is open */
  uint64_t deadline_ns;       /* of the entry that is open, on the server's clock; 0: none */
  struct nr_times *times;     /* NULL: nobody wants to know them */
  int streams[3];             /* pipes from the host, by descriptor; -1: none, or JavaScript has it */
  bool restarts;              /* a call after its death may start another host */
  bool apart;                 /* JavaScript gets no memory that the host can write to */
  struct nr_connection *heir; /* counted: another host has its place; NULL: none */
  struct nr_connection *met;  /* to a host that is dead: an object of its was among the arguments; NULL: none was */
  bool lost;                  /* what it owed has been settled, and JavaScript told */
  struct nr_agent *agent;     /* NULL after the thread's end */
  struct nr_connection *next;
  struct nr_host *host; /* counted */
  struct nr_port *port;
  struct nr_arena *arena;
  struct nr_handles *given;          /* chosen by this side: arguments */
  struct nr_handles *chosen;         /* chosen by the host: results */
  struct nr_table *references_table; /* ids of the host */
  struct nr_table *deferreds;        /* ids of the host */
  struct nr_table *pairs;            /* ids of this side */
  struct nr_table *hooks;            /* ids of the host */
  struct nr_table *asyncs;           /* ids of the host */
  struct nr_doorbell *doorbell;      /* NULL: nobody listens any more */
  struct nr_pair_index *pair_index;  /* by address */
  struct nr_blocks *blocks;          /* the host's halves */
  struct nr_cells cells;             /* of small external buffers, this side's */
  struct nr_mirror mirror;           /* of large external buffers */
  struct nr_ahead *ahead;            /* NULL: not needed yet */
  struct nr_cold cold;               /* pairs, as they are looked at */
  struct nr_cold cold_large;         /* those that are worth tracking, until they are */
  struct nr_cold cold_pools;         /* those that fill */
  struct nr_cold cold_foreign;       /* those of external buffers */
  uint32_t foreign_count;            /* pairs of external buffers, hot ones too */
  struct nr_pair **sparse;           /* those of which little may be there (memory/sparse.c) */
  uint32_t sparse_count;
  uint32_t sparse_room;
  long sparse_touched;  /* nr_mirror_touched(), when it was asked last */
  long sparse_news;     /* how often it was another number */
  uint32_t sparse_turn; /* the one that was asked about last */
  struct nr_hot *hot;   /* what open entries have seen of pairs, innermost last */
  uint32_t hot_count;
  uint32_t hot_room;
  uint32_t hot_settled;      /* so many of the oldest have been found unchanged for long (memory/hot.h) */
  uint32_t hot_turn;         /* the next of those to be looked at */
  uint32_t passes;           /* over the two */
  uint32_t sends;            /* of those */
  uint32_t might_left;       /* of NR_MIGHT_BYTES (wire/turns.h) */
  uint32_t takes;            /* the same, in which JavaScript got the turn as such */
  uint32_t relieved;         /* ... when cold pairs were last looked through (memory/passes.c) */
  uint32_t pairs_made;       /* so far */
  uint32_t looks;            /* that might have been for a collection (memory/collected.c) */
  uint32_t pairs_seen;       /* of those, when native code last gave up the turn */
  napi_ref left;             /* an array with an exception for when the open entry ends; NULL: none */
  napi_env left_in;          /* the env of that */
  uint32_t calm;             /* calls since something brought any */
  uint32_t fills;            /* of pairs that fill, parts that became known so far */
  uint32_t fills_seen;       /* likewise */
  uint32_t still;            /* calls since there was one, with that */
  uint32_t follows;          /* frames with NR_FLAG_FOLLOWS so far */
  enum nr_lifetime lifetime; /* of new ones, as a rule (memory/lifetime.c) */
  uint32_t influx;           /* grows with entries that bring some */
  uint32_t beside;           /* parts of pairs that the host compares, */
  uint64_t beside_bytes;     /* ... as long together */
  uint32_t beside_tried;     /* when it was tried last whether they have to be, in turns */
  bool host_waits;           /* ... of which it has not been told of some */
  bool doubted;              /* one has just been found written: the others are to be looked through */
  struct nr_pair_lot *pair_lots;
  struct nr_pair *free_pairs;
  uint64_t sweep_at; /* of pairs, at which it is worth while to look for dead ones (memory/collected.c) */
  uint64_t made;     /* bytes that live in Buffers and ArrayBuffers which the host has made */
  struct nr_release_list released[NR_RELEASED_SORTS];
  uint32_t release_count; /* of all lists */
  struct nr_basic_list basics;
  struct nr_shared_queue *shared; /* external SharedArrayBuffers; NULL: there were none */
  struct nr_env **envs;           /* by number - 1 */
  uint32_t env_count;
  struct nr_scope *scopes;
  uint32_t scope_count;
  uint32_t scope_room;
  uint32_t closing;    /* the host has closed this level and those above: with the next call; UINT32_MAX: none */
  uint32_t scope_base; /* of the innermost entry: scopes below are not the host's to close */
  struct nr_callback_scope *callback_scopes;
  uint32_t callback_scope_count;
  uint32_t callback_scope_room;
  uint32_t callback_scope_base;
  uint32_t entry_floor; /* places of `chosen` below are of outer entries */
  uint32_t sequence;
  uint32_t depth;                /* CALLs and ENTERs that are open */
  struct nr_enter *entered;      /* the innermost entry; NULL: none */
  bool posting;                  /* what is being served the host does not wait for */
  struct nr_aside_list aside;    /* frames that come before those in the ring (aside.c) */
  struct nr_aside *laid;         /* by the innermost entry that began while the host did not listen; NULL: none */
  uint32_t entries;              /* ENTERs that are open */
  bool in_call;                  /* the innermost is a call of the program's */
  struct nr_callback *callback;  /* the innermost entry's; NULL: an Init */
  struct nr_callback background; /* what stands for one in entries that JavaScript does not call */
  napi_ref signal;               /* the AbortSignal that ended the host; NULL: none */
  napi_ref thrown;               /* weak, of the last error that told of the failure; NULL: none */
  napi_env thrown_in;            /* the env of that reference */
  bool exited;                   /* its end has been asked for, or is done */
  bool death_told;               /* to server/lib/report.js */
  bool leaves;                   /* in the middle of that: only the host's thread ends, others use the process */
  uint32_t turning;              /* calls of the host in which Node's loop turns */
  bool retired;                  /* its host is dead, and what it left is gone (retire.c) */
  int64_t external_memory;       /* bytes that napi_adjust_external_memory() announced and has not taken back */
  struct nr_environ *environ;    /* as the host knows it; NULL: it has its own, or this is not Node's main thread */
  uint64_t variables;            /* bytes of those that the host has set */
  char *file;                    /* the addon that was loaded first, for messages */
  const char *doing;             /* the innermost call that is being served, for errors; NULL: none */
  const char *last;              /* the last one that was, or is; NULL: none yet */
  const char *owed; /* `doing` when the connection was found to have failed, while frames below it unwind */
  struct nr_counts {
    uint64_t calls;
    uint64_t posts;
    uint64_t entries;
  } counts;
};

/* ---- connection.c ---------------------------------------------------------------------------------------------------
 */

/* The connection of this thread to the group's host, which is started when there is none. NULL with a pending exception
 * in `napi`. */
struct nr_connection *nr_connection_get(struct nr_agent *agent, napi_env napi, const struct nr_launch *launch);
/* The one of this thread with that serial; NULL: none, or not any more. */
struct nr_connection *nr_connection_by_serial(struct nr_agent *agent, uint32_t serial);
/* The agent does not know it any more. */
void nr_connection_unlist(struct nr_connection *connection);
void nr_connection_ref(struct nr_connection *connection);
void nr_connection_unref(struct nr_connection *connection);
/* The host broke the protocol: it is ended, the connection has failed. Always -EPROTO. */
int nr_connection_fault(struct nr_connection *connection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The port may have failed: a host that is not dead, but has sent bytes that are no frames, say, is ended. */
void nr_connection_failed(struct nr_connection *connection);
/* Nothing more is done for this thread by the host, whatever that is busy with: the connection has failed. Other
 * threads go on with the host; without any it is killed. */
void nr_connection_abandon(struct nr_connection *connection);
/* Ends this thread's hosts: they exit(), or, where other threads use them, only the threads joined with this one end.
 * Waits, bounded for all together; what takes longer is killed, or abandoned. */
void nr_connections_exit(struct nr_agent *agent, int code);
/* The env of that number, while it lives. */
struct nr_env *nr_connection_env(struct nr_connection *connection, uint32_t number);

/* ---- retire.c -------------------------------------------------------------------------------------------------------
 */

/* Gives back what is held for a host, if it is dead and nobody is inside of it. */
void nr_connection_retire(struct nr_connection *connection);
/* All that it owed is settled as well: its tables, which are large, are empty. */
void nr_connection_shrink(struct nr_connection *connection);
/* nr_connection_retire() for all of a thread's. */
void nr_connections_retire(struct nr_agent *agent);

/* ---- env.c ----------------------------------------------------------------------------------------------------------
 */

/* Runs the Init of the module that was prepared, in that place; NULL: one for the env that Node has just made. The
 * value to return from the agent's own Init. */
napi_value nr_env_init(struct nr_agent *agent, struct nr_place *place, napi_env napi, napi_value exports);
void nr_env_destroy(struct nr_env *env);
/* V8 may point to that memory as long as the env lives: it is free()d after its teardown. */
void nr_env_keep(struct nr_env *env, void *memory);

/* ---- external_strings.c ---------------------------------------------------------------------------------------------
 */

/* Their env ends before them. */
void nr_external_strings_orphan(struct nr_env *env);

/* ---- release.c ------------------------------------------------------------------------------------------------------
 */

/* The host may free what it has under this id. Safe inside a collection. */
void nr_release(struct nr_connection *connection, enum nr_released sort, nr_id id);
/* Tells the host, as far as the ring has room. */
void nr_release_flush(struct nr_connection *connection);
/* The host is to run this finalizer, at once if the ring has room. Safe inside a collection. */
void nr_release_basic(struct nr_connection *connection, nr_id id, bool orphan);
/* Those that had no room: before the host gets the turn it must have `all`. */
void nr_release_basics(struct nr_connection *connection, bool all);
void nr_release_end(struct nr_connection *connection);

/* ---- environment.c --------------------------------------------------------------------------------------------------
 */

/* Tells the host what has changed. */
void nr_environment_send(struct nr_connection *connection);
static inline void nr_environment_check(struct nr_connection *connection) {
  if (connection->environ != NULL && nr_environ_is_news(connection->environ)) nr_environment_send(connection);
}

/* ---- callbacks.c ----------------------------------------------------------------------------------------------------
 */

/* NR_FLAG_PLAIN when it holds, and the innermost callback has set properties of fresh objects before. */
uint8_t nr_callback_flags(const struct nr_connection *connection, napi_env napi);
/* A frame with NR_FLAG_FOLLOWS is on its way: the question of that, and the answer. */
void nr_callback_follow(struct nr_connection *connection, napi_env napi);
/* Are Object.prototype and Array.prototype as they were made? Found out once for each turn: nr_agent.plain_known goes
 * when JavaScript has, or may have, run. */
bool nr_prototypes_plain(struct nr_agent *agent, napi_env napi);
/* The trampoline's data for a callback of the host; lives until nr_callback_free() or the env's teardown. */
struct nr_callback *nr_callback_create(struct nr_env *env, nr_id id, bool member);
void nr_callback_free(struct nr_callback *callback);
/* It is a callback of another host from now on. */
void nr_callback_rebind(struct nr_callback *callback, struct nr_env *env, nr_id id);
/* A napi_callback whose data is a struct nr_callback. */
napi_value nr_trampoline(napi_env napi, napi_callback_info info);
/* Calls this callback of the host with what `info` holds; NULL: the one that is its data. */
napi_value nr_callback_invoke(struct nr_callback *callback, napi_env napi, napi_callback_info info);
/* What the innermost callback is while an entry runs that JavaScript has not called. */
struct nr_callback *nr_callback_background(struct nr_connection *connection);
/* The innermost callback has set a property. */
void nr_callback_built(struct nr_connection *connection);

#endif
