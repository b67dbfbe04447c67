// The multicast itself (amphibus/queue/multicast.hpp, pool.hpp), through the seam: one writer, a reader from the
// beginning that leaves early, and one that joins later. Blocks of one and two slots, so that every push begins a block
// or uses one again. Whatever the interleaving: each reader sees everything from its join to its leaving, once and in
// order, and no slot is written while somebody may still read it; also where the only reader keeps up and the writer
// begins the same block again. And a writer that takes the oldest away from a reader
// that falls behind: every message is one side's, in order, and the reader's is the newest. And slots whose identities
// mostly follow from the one before, of which a block keeps the others only: each reader sees whose every message is.
//
// `multicast_model planted` takes one memory order away at a time, or a look under the lock, and each has to be caught.
#include "model/watched.hpp"

#include <amphibus/queue/multicast.hpp>

#include "model/planted.hpp"

namespace {

using model::watched_slot;
using small_multicast = amphibus::queue::multicast<watched_slot, 1, 2>;
using reader = amphibus::queue::multicast_reader<watched_slot, 1, 2>;

constexpr int last = 6;
constexpr int joins_after = 2;
constexpr int leaves_after = 4;

template <class Reader>
void read_all(Reader& from, int next, int end) {
  while (!from.is_over()) {
    if (!from.look()) {
      rl::yield(1, $);
      continue;
    }
    while (const auto run = from.next(2)) {
      for (std::size_t i = 0; i != run.count; ++i) RL_ASSERT(run[i].get() == next++);
      from.advance(run.count);
    }
  }
  RL_ASSERT(next == end + 1);
}

struct reading : rl::test_suite<reading, 3> {
  model::of_run<std::shared_ptr<small_multicast>> writer;
  model::of_run<std::shared_ptr<reader>> first;
  model::of_run<std::shared_ptr<reader>> second;
  rl::atomic<int> second_is_there;

  void before() {
    model::begin_run();
    auto& of = writer.make(std::make_shared<small_multicast>());
    first.make(of->join(of));
    second_is_there.store(0, rl::mo_relaxed, $);
  }
  void after() {
    first.end();
    second.end();
    writer.end();
    model::end_run();
  }
  void thread(unsigned index) {
    if (index == 0) return write();
    if (index == 1) return read_all(**first, 1, leaves_after);
    while (second_is_there.load(rl::mo_acquire, $) == 0) rl::yield(1, $);
    read_all(**second, joins_after + 1, last);
  }

  void write() {
    auto& of = *writer;
    for (int i = 1; i <= last; ++i) {
      of->push_in_any_case(watched_slot(i));
      if (i == joins_after) {
        second.make(of->join(of));
        second_is_there.store(1, rl::mo_release, $);
      }
      if (i == leaves_after) of->part(**first);
    }
    of->part(**second);
    of->end();
  }
};

bool looks_without_the_lock = false;

struct throwing_out : rl::test_suite<throwing_out, 2> {
  static constexpr int places = 1;
  model::of_run<std::shared_ptr<small_multicast>> writer;
  model::of_run<std::shared_ptr<reader>> behind;
  rl::atomic<int> free_places;

  void before() {
    model::begin_run();
    auto& of = writer.make(std::make_shared<small_multicast>());
    of->note_only_reader(behind.make(of->join(of)).get());
    free_places.store(places, rl::mo_relaxed, $);
  }
  void after() {
    behind.end();
    writer.end();
    model::end_run();
  }
  void thread(unsigned index) { index == 0 ? write() : read(); }
  void free_some(std::size_t count) { free_places.fetch_add(static_cast<int>(count), rl::mo_relaxed, $); }

  void write() {
    auto& of = *writer;
    int oldest = 0;
    for (int i = 1; i <= last; ++i) {
      if (free_places.load(rl::mo_relaxed, $) == 0) {
        const bool looks = !looks_without_the_lock || !(*behind)->has_all();
        if (looks) take(**behind, oldest, [this](std::size_t count) { free_some(count); });
        RL_ASSERT(free_places.load(rl::mo_relaxed, $) != 0);  // where nothing was left the reader's are free
      }
      free_places.fetch_sub(1, rl::mo_relaxed, $);
      of->push_in_any_case(watched_slot(i));
    }
    of->part(**behind);
    of->end();
  }
  void read() {
    int newest = 0;
    while (!(*behind)->is_over()) {
      if (take(**behind, newest, [this](std::size_t count) { free_some(count); }) == 0) rl::yield(1, $);
    }
    RL_ASSERT(newest == last);
    RL_ASSERT(free_places.load(rl::mo_relaxed, $) == places);
  }
  template <class Taken>
  static std::size_t take(reader& from, int& before, const Taken& taken) {
    return from.take(1, taken, [&](const auto& run) {
      const int number = run[0].get();
      RL_ASSERT(number > before);
      before = number;
    });
  }
};

/// An identity whose memory is watched: odd where it is packed.
class watched_identity {
 public:
  watched_identity() : watched_identity(0) {}
  explicit watched_identity(int word) : word_(word) { model::watched_memory::wrote(this); }
  watched_identity(const watched_identity& from) : word_(from.get()) { model::watched_memory::wrote(this); }
  watched_identity& operator=(const watched_identity& from) {
    word_ = from.get();
    model::watched_memory::wrote(this);
    return *this;
  }
  static watched_identity none() { return watched_identity(-1'000'000); }
  [[nodiscard]] int get() const {
    model::watched_memory::read(this);
    return word_;
  }
  [[nodiscard]] bool is_packed() const { return get() % 2 != 0; }
  [[nodiscard]] watched_identity packed_after(std::uint64_t count) const {
    return watched_identity(get() + 2 * static_cast<int>(count));
  }
  [[nodiscard]] watched_identity packed_before(std::uint64_t count) const {
    return watched_identity(get() - 2 * static_cast<int>(count));
  }
  friend bool operator==(const watched_identity& one, const watched_identity& other) {
    return one.get() == other.get();
  }

 private:
  int word_;
};
struct identified_slot {
  using identity_type = watched_identity;
  using payload_type = watched_slot;
  identity_type identity;
  payload_type payload;
};
using identified_multicast = amphibus::queue::multicast<identified_slot, 2, 3>;
using identified_reader = amphibus::queue::multicast_reader<identified_slot, 2, 3>;

/// A writer whose only reader keeps up writes one small block again and again.
struct keeping_up : rl::test_suite<keeping_up, 2> {
  using two_slots = amphibus::queue::multicast<watched_slot, 2, 2>;
  model::of_run<std::shared_ptr<two_slots>> writer;
  model::of_run<std::shared_ptr<two_slots::reader>> alone;

  void before() {
    model::begin_run();
    auto& of = writer.make(std::make_shared<two_slots>());
    of->note_only_reader(alone.make(of->join(of)).get());
  }
  void after() {
    alone.end();
    writer.end();
    model::end_run();
  }
  void thread(unsigned index) {
    if (index != 0) return read_all(**alone, 1, last);
    auto& of = *writer;
    for (int i = 1; i <= last; ++i) of->push_in_any_case(watched_slot(i));
    of->part(**alone);
    of->end();
  }
};

/// `Alone`: where its reader keeps up the writer begins a block again.
template <bool Alone>
struct telling : rl::test_suite<telling<Alone>, 2> {
  // A block that goes out of sequence, one that begins so, one that never is, and one that goes on where that ended.
  static constexpr int words[] = {11, 40, 21, 23, 50, 61, 63, 65, 67};
  static constexpr std::size_t count = std::size(words);
  model::of_run<std::shared_ptr<identified_multicast>> writer;
  model::of_run<std::shared_ptr<identified_reader>> of_them;

  void before() {
    model::begin_run();
    auto& of = writer.make(std::make_shared<identified_multicast>());
    const auto& reads = of_them.make(of->join(of));
    if (Alone) of->note_only_reader(reads.get());
  }
  void after() {
    of_them.end();
    writer.end();
    model::end_run();
  }
  void thread(unsigned index) { index == 0 ? write() : read(); }

  void write() {
    auto& of = *writer;
    of->set_room(count);
    for (std::size_t i = 0; i != count; ++i) {
      const int number = static_cast<int>(i);
      const bool pushed = of->next_in_sequence() == watched_identity(words[i])
                              ? of->push_next_if_room([&] { return watched_slot(number); })
                              : of->push_if_room([&] {
                                  return identified_slot{watched_identity(words[i]), watched_slot(number)};
                                });
      RL_ASSERT(pushed);
    }
    of->part(**of_them);
    of->end();
  }
  void read() {
    auto& from = **of_them;
    std::size_t seen = 0;
    while (!from.is_over()) {
      if (!from.look()) {
        rl::yield(1, $);
        continue;
      }
      while (const auto run = from.next(3)) {
        for (std::size_t i = 0; i != run.count; ++i, ++seen) {
          RL_ASSERT(run[i].payload.get() == static_cast<int>(seen));
          RL_ASSERT(run.identity(i).get() == words[seen]);
        }
        from.advance(run.count);
      }
    }
    RL_ASSERT(seen == count);
  }
};

bool holds_looking_without_the_lock() {
  model::planted_weakening = {};
  looks_without_the_lock = true;
  const bool held = model::holds<throwing_out>();
  looks_without_the_lock = false;
  return held;
}

constexpr model::weakening weakenings[] = {
    {"show", std::memory_order_release},      {"written", std::memory_order_acquire},
    {"give_back", std::memory_order_release}, {"take_returned", std::memory_order_acquire},
    {"release", std::memory_order_acq_rel},   {"may_begin_again", std::memory_order_acquire},
    {"advance", std::memory_order_release}};

template <int Which>
constexpr auto holds_without = &model::holds_with_one_of<reading, model::planted_weakening, weakenings, Which>;

template <int Which>
constexpr auto keeps_up_without = &model::holds_with_one_of<keeping_up, model::planted_weakening, weakenings, Which>;
template <int Which, bool Alone = false>
constexpr auto tells_without = &model::holds_with_one_of<telling<Alone>, model::planted_weakening, weakenings, Which>;

}  // namespace

int main(int argc, char** argv) {
  return model::run(
      argc, argv,
      {&model::holds<reading>, &model::holds<throwing_out>, &model::holds<keeping_up>, &model::holds<telling<false>>,
       &model::holds<telling<true>>},
      {{"a position is published without what it counts", holds_without<0>},
       {"a position is read without what it counts", holds_without<1>},
       {"a block goes back before its last reader has read", holds_without<2>},
       {"a block is written before its last reader has read", holds_without<3>},
       {"a reader leaves a block before it has read", holds_without<4>},
       {"a block is begun again before its reader has read", keeps_up_without<5>},
       {"a reader goes on before it has read", keeps_up_without<6>},
       {"a message is shown before its identity is written", tells_without<0>},
       {"an identity is read without what was written before its position", tells_without<1>},
       {"a block's first identity is written again before its reader has read", tells_without<5, true>},
       {"who throws out looks without the lock whether there is something", &holds_looking_without_the_lock}});
}
