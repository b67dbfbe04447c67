#pragma once

#include <flatbuffers/reflection.h>

#include <string>
#include <utility>
#include <vector>

#include "model.hpp"

namespace amphibus::schema {

/// A binary schema as a model. Lifetime: `bytes` outlives it.
class reflected {
 public:
  /// Verifies. Throws: problem, at `path`.
  reflected(const std::string& bytes, std::string path);

  [[nodiscard]] model content() const;
  /// root_type and file_identifier; without name.
  [[nodiscard]] schema_file own_file() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<std::string>>> files() const;

 private:
  [[noreturn]] void refuse(const std::string& text, const std::string& mend) const;
  /// `text` if it is a name; what is not one would forge lines of a lock. Throws: problem.
  [[nodiscard]] std::string checked_name(const flatbuffers::String& text) const;
  [[nodiscard]] std::string base_name(reflection::BaseType base, int index) const;
  [[nodiscard]] std::string type_name(const reflection::Type& type) const;
  [[nodiscard]] definition from(const reflection::Object& object) const;
  [[nodiscard]] definition from(const reflection::Enum& values) const;
  [[nodiscard]] field from(const reflection::Field& member, const reflection::Object& in) const;
  void read_attributes(const reflection::Object& object, definition& into) const;
  void refuse_unsafe(const reflection::Field& member, const std::string& name) const;

  std::string path_;
  const reflection::Schema* schema_ = nullptr;
};

}  // namespace amphibus::schema
