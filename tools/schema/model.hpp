#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace amphibus::schema {

/// A field of a table, or a member of a struct.
struct field {
  std::string name;
  unsigned id = 0;            ///< tables: FlatBuffers' id; structs: the offset in bytes
  std::string type;           ///< `ulong`, `shop.Item`, `[shop.Item]`, `[int:3]`
  std::string default_value;  ///< of a scalar in a table, as text; `null`: optional; empty: has none
  bool required = false;
  bool key = false;
  bool deprecated = false;
};

/// A member of an enum or a union; NONE of a union is not listed.
struct value {
  std::string name;
  std::int64_t number = 0;
  std::string type;  ///< of a union's member
};

enum class definition_kind : unsigned char { table, structure, enumeration, union_type };

struct definition {
  definition_kind kind = definition_kind::table;
  std::string name;           ///< with its namespace: `shop.Order`
  std::string file;           ///< that declares it, relative to the root of the schemas; empty: from a lock
  unsigned major = 1;         ///< of a table
  std::string topic;          ///< of a table; empty: has none
  std::string underlying;     ///< of an enum
  bool bit_flags = false;     ///< of an enum
  unsigned size_bytes = 0;    ///< of a struct
  unsigned align_bytes = 0;   ///< of a struct, or what force_align of a table's vectors asks for; not in the lock
  std::vector<field> fields;  ///< of a table by id, of a struct by offset
  std::vector<value> values;  ///< of an enum or union by number
};

/// What a schema file says besides its definitions.
struct schema_file {
  std::string name;        ///< without folders: `shop.fbs`
  std::string root;        ///< its root_type; empty: none
  std::string identifier;  ///< its file_identifier; empty: none
};

/// Every definition that some schema files reach, by full name. Thread: const-safe.
struct model {
  std::map<std::string, definition> definitions;
  std::map<std::string, schema_file> files;
};

/// Where `into` has the same definition with other content. Throws: problem, naming both files.
void merge(model& into, const model& from);

/// The names that a definition's fields or members use directly; all of them are in the model.
std::vector<std::string> uses(const model& in, const definition& of);

/// `name` and everything that a message of it can contain.
std::set<std::string> reach(const model& in, const std::string& name);

/// The line of a definition in a lock, without its members: `table shop.Order major 2 topic shop.orders`.
std::string head_line(const definition& of);
/// A member's line, without indentation: `3 note string`.
std::string member_line(const definition& of, const field& member);
std::string member_line(const value& member);
/// `file shop.fbs root shop.Order identifier SHOP`.
std::string file_line(const schema_file& of);

/// A definition with its members, one line each: what a lock holds and what a hash covers.
std::string text_of(const definition& of);

/// What changes whenever the bytes of a message can: 64 bit over the text of all that `name` reaches.
std::uint64_t hash_of(const model& in, const std::string& name);

/// FNV-1a, 64 bit (http://www.isthe.com/chongo/tech/comp/fnv/): only has to change when the text does.
std::uint64_t fnv1a(std::string_view text) noexcept;

}  // namespace amphibus::schema
