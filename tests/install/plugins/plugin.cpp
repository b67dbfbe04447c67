#include <amphibus/pattern.hpp>

#include "letter.hpp"

namespace {

// Not the letter of the program: an anonymous type is every part's own.
struct secret {
  int number;
};
constexpr amphibus::topic<secret> secrets{"plugins.secrets"};

class answering : public plugin {
 public:
  answering(amphibus::bus& bus, std::string name)
      : bus_(bus),
        name_(std::move(name)),
        letters_(bus.subscribe(letters, [this](const letter& l) { bus_.publish(answers, {name_ + ": " + l.text}); })),
        tap_(bus.subscribe(amphibus::pattern<amphibus::any_message>{"plugins.letters"},
                           [this](const amphibus::any_message& m) {
                             if (m.as<answer>() == nullptr && m.as<letter>() != nullptr)
                               bus_.publish(answers, {name_ + " tapped: " + m.as<letter>()->text});
                           })) {}

 private:
  amphibus::bus& bus_;
  std::string name_;
  amphibus::subscription letters_;
  amphibus::subscription tap_;
};

}  // namespace

extern "C" {
[[gnu::visibility("default")]] plugin* attach(amphibus::bus& bus, const char* name) { return new answering(bus, name); }
[[gnu::visibility("default")]] void break_the_rules(amphibus::bus& bus) { bus.publish(secrets, {1}); }
}
