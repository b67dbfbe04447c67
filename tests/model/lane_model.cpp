// How a lane of keys moves between members of a group that changes (src/detail/group_core.cpp, group_turn.cpp), written
// out for the model checker. Messages of one key arrive, and messages without a key; two members handle them, one
// leaves and comes back meanwhile. Whatever the interleaving: those of the key are handled in order and never by two at
// once, and nothing is lost.
//
// `lane_model planted` takes away one thing at a time, and each has to be caught.
#include "planted.hpp"

namespace {

enum class fault {
  none,
  back_to_the_old_home,  // a hand puts a lane back to its own member, also when it moved meanwhile
  moves_what_runs,       // a lane that runs is made ready for its new home
  keeps_its_buffer,      // a member leaves with messages that it has not begun
};

constexpr int keyed = 3;    // messages of the key
constexpr int unkeyed = 2;  // messages without one
constexpr int stays = 0;    // the member that never leaves
constexpr int comes_and_goes = 1;
constexpr int members = 2;

enum lane_state : int { empty, ready, running };

template <fault Planted>
struct moving : rl::test_suite<moving<Planted>, 1 + members> {
  rl::mutex lock;  // group_core::mutex_
  rl::condition_variable changed;
  rl::var<bool> in_group[members];
  rl::var<int> state;  // of the lane
  rl::var<int> home;   // its member
  rl::var<bool> is_ready_at[members];
  rl::var<int> arrived;  // messages of the key that were sorted
  rl::var<int> begun;
  rl::var<int> free_messages;    // without a key, for everybody
  rl::var<int> buffer[members];  // taken by a member and not begun
  rl::var<int> handled;          // of all
  rl::atomic<int> inside;        // handlers of the key that run
  rl::atomic<int> last;          // number of the key's message that was handled last

  void before() {
    for (int i = 0; i != members; ++i) {
      in_group[i]($) = true;
      is_ready_at[i]($) = false;
      buffer[i]($) = 0;
    }
    state($) = empty;
    home($) = comes_and_goes;
    arrived($) = begun($) = free_messages($) = handled($) = 0;
    inside.store(0, rl::mo_relaxed, $);
    last.store(0, rl::mo_relaxed, $);
  }
  void thread(unsigned index) { index == 0 ? feed_and_change() : run(static_cast<int>(index) - 1); }

  void push_ready(int member) {
    is_ready_at[member]($) = true;
    changed.notify_all($);
  }
  void move(int to) {
    const int from = home($);
    if (from == to) return;
    home($) = to;
    const int now = state($);
    if (now == ready) is_ready_at[from]($) = false;
    if (now == ready || (Planted == fault::moves_what_runs && now == running)) {
      state($) = ready;
      push_ready(to);
    }
  }
  void leave() {
    in_group[comes_and_goes]($) = false;
    if (Planted != fault::keeps_its_buffer) {
      free_messages($) = free_messages($) + buffer[comes_and_goes]($);
      buffer[comes_and_goes]($) = 0;
    }
    move(stays);
    changed.notify_all($);
  }

  /// Sorts what arrives; in between the member leaves and joins again.
  void feed_and_change() {
    for (int i = 0; i != keyed; ++i) {
      lock.lock($);
      arrived($) = arrived($) + 1;
      if (i < unkeyed) free_messages($) = free_messages($) + 1;
      if (state($) == empty) {
        state($) = ready;
        push_ready(home($));
      }
      changed.notify_all($);
      lock.unlock($);
      lock.lock($);
      if (i == 0) leave();
      if (i == 1) {
        in_group[comes_and_goes]($) = true;
        move(comes_and_goes);
      }
      if (i == 2) leave();
      lock.unlock($);
    }
  }

  void run(int self) {
    for (;;) {
      lock.lock($);
      while (!has_work(self) && handled($) != keyed + unkeyed) changed.wait(lock, $);
      if (handled($) == keyed + unkeyed) return lock.unlock($);
      if (is_ready_at[self]($)) {
        handle_lane(self);
      } else {
        handle_free(self);
      }
    }
  }
  bool has_work(int self) {
    return in_group[self]($) && (is_ready_at[self]($) || buffer[self]($) != 0 || free_messages($) != 0);
  }
  void finish_locked() {
    handled($) = handled($) + 1;
    changed.notify_all($);
  }

  void handle_lane(int self) {
    is_ready_at[self]($) = false;
    state($) = running;
    const int message = begun($) + 1;
    const bool there = message <= arrived($);
    if (there) begun($) = message;
    lock.unlock($);
    if (there) handle(message);
    lock.lock($);
    if (there) finish_locked();
    if (begun($) == arrived($)) {
      state($) = empty;
    } else {
      state($) = ready;
      push_ready(Planted == fault::back_to_the_old_home ? self : home($));
    }
    lock.unlock($);
  }
  void handle(int message) {
    RL_ASSERT(inside.fetch_add(1, rl::mo_acq_rel, $) == 0);
    RL_ASSERT(last.load(rl::mo_relaxed, $) == message - 1);
    last.store(message, rl::mo_relaxed, $);
    inside.fetch_sub(1, rl::mo_acq_rel, $);
  }

  /// Takes all of them first, and begins one: the rest others may take, or has to be given back.
  void handle_free(int self) {
    if (buffer[self]($) == 0) {
      buffer[self]($) = free_messages($);
      free_messages($) = 0;
    }
    buffer[self]($) = buffer[self]($) - 1;
    finish_locked();
    lock.unlock($);
  }
};

}  // namespace

int main(int argc, char** argv) {
  return model::run(argc, argv, {&model::holds<moving<fault::none>>},
                    {model::plant<moving<fault::back_to_the_old_home>>("a lane goes back to a home that it left"),
                     model::plant<moving<fault::moves_what_runs>>("a lane that runs is given to another"),
                     model::plant<moving<fault::keeps_its_buffer>>("who leaves keeps what it has not begun")});
}
