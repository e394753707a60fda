#include "reading.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include <algorithm>
#include <iterator>

namespace sonde::inline v0 {
namespace {

using detail::fail;
using detail::kind_of;

/// Reads the values of one field.
class value_reader {
public:
    value_reader(layer_description const& layer, std::size_t field, literal::call const* of)
        : layer_(layer), field_(layer.fields[field]), of_(of) {}

    field_content read(literal const& value) const {
        if (value.as<literal::none>()) return read_none();
        if (field_.options) return read_encoded(value);
        if (auto const* l = value.as<literal::list>()) return read_list(*l, value);
        if (auto const* t = value.as<literal::tuple>()) return read_range(*t, value);
        if (field_.kind == value_kind::octets && is_packet(value)) return read_packet(value);
        if (auto const* c = value.as<literal::call>()) return read_call(*c, value);
        if (field_.kind == value_kind::octets) return single(read_octets(value));
        if (is_ip()) return read_ip(value);
        if (field_.rule.width && value.as<literal::bytes>()) return single(*detail::octets_of(value));
        return single(read_one(value));
    }

private:
    /// Automatic; but nothing computes the records of a section, nor a name, of which even the empty one has
    /// octets.
    field_content read_none() const {
        if (!field_.options) return {};
        if (field_.options->chain) return single("");
        bool is_name = field_.options->one && !field_.options->typed;
        return is_name ? read_encoded(literal("")) : field_content();
    }

    std::string place() const { return fmt::format("{}.{}", layer_.name, field_.name); }
    bool is_ip() const { return field_.kind == value_kind::ipv4 || field_.kind == value_kind::ipv6; }
    bool is_number() const { return field_.kind == value_kind::number || field_.kind == value_kind::flags; }

    [[noreturn]] void refuse(literal const& value) const {
        constexpr std::string_view wanted[] = {"a number or a name",
                                               "a number or flags",
                                               "a MAC address",
                                               "an IPv4 address or network, or a host name",
                                               "an IPv6 address or network, or a host name",
                                               "text or bytes",
                                               "a list of options"};
        auto const* text = value.as<std::string>();
        fail(errc::bad_text, value, "{} takes {}, not {}", place(),
             wanted[static_cast<std::size_t>(field_.kind)],
             text ? fmt::format("\"{}\"", escape(*text)) : std::string(kind_of(value)));
    }

    static field_content single(wire_value v) {
        field_content c;
        c.state = field_state::single;
        c.first = v;
        return c;
    }
    static field_content single(std::string text) {
        field_content c;
        c.state = field_state::single;
        if (!text.empty()) c.texts = {std::move(text)};
        return c;
    }

    // --- one value -----------------------------------------------------------------------------------

    std::uint64_t largest() const {
        return field_.width >= 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << field_.width) - 1;
    }

    wire_value checked(std::uint64_t n, literal const& at) const {
        if (!is_number()) refuse(at);
        if (n > largest())
            fail(errc::value_out_of_range, at, "{} cannot hold {} (largest {})", place(), n, largest());
        return {0, n};
    }

    wire_value read_one(literal const& value) const {
        if (auto const* n = value.as<std::uint64_t>()) return checked(*n, value);
        if (auto const* b = value.as<bool>()) return checked(*b, value);
        if (auto const* n = value.as<std::int64_t>(); n && is_number())
            fail(errc::value_out_of_range, value, "{} cannot hold {} (0 to {})", place(), *n, largest());
        auto const* text = value.as<std::string>();
        if (auto const* b = value.as<literal::bytes>(); b && field_.kind == value_kind::mac)
            if (mac a; b->value.size() == a.octets.size()) {
                std::ranges::copy(b->value, a.octets.begin());
                return value_traits<mac>::to_wire(a);
            }
        if (!text) refuse(value);
        switch (field_.kind) {
            case value_kind::number: return {0, read_name(*text, value)};
            case value_kind::flags: return {0, read_flags(*text, value)};
            case value_kind::mac:
                if (auto a = mac::parse(*text)) return value_traits<mac>::to_wire(*a);
                break;
            case value_kind::ipv4:
                if (auto a = ipv4::parse(*text)) return value_traits<ipv4>::to_wire(*a);
                break;
            case value_kind::ipv6:
                if (auto a = ipv6::parse(*text)) return value_traits<ipv6>::to_wire(*a);
                break;
            default: break;
        }
        refuse(value);
    }

    std::uint64_t read_name(std::string_view text, literal const& at) const {
        std::vector<std::string_view> names;
        for (auto const& n : field_.names) {
            if (n.name == text) return n.value;
            names.push_back(n.name);
        }
        if (names.empty()) refuse(at);
        fail(errc::bad_text, at, "{} knows no name \"{}\"{}", place(), escape(text),
             detail::did_you_mean(text, names));
    }

    /// "SA", or "MF+DF".
    std::uint64_t read_flags(std::string_view text, literal const& at) const {
        bool letters = detail::are_letters(field_.names);
        std::uint64_t flags = 0;
        for (auto rest = text; !rest.empty();) {
            auto size = letters ? 1 : std::min(rest.find('+'), rest.size());
            auto found = std::ranges::find(field_.names, rest.substr(0, size), &value_name::name);
            if (found == field_.names.end() || found->value == 0)
                fail(errc::bad_text, at, "{} has no flag \"{}\" (flags: {})", place(),
                     escape(rest.substr(0, size)), detail::flags_text(field_.names, largest()));
            flags |= found->value;
            rest.remove_prefix(letters || size == rest.size() ? size : size + 1);
        }
        return flags;
    }

    std::string read_octets(literal const& value) const {
        if (auto const* text = detail::octets_of(value)) return *text;
        refuse(value);
    }

    static bool is_packet(literal const& value) {
        auto const* c = value.as<literal::call>();
        return value.as<literal::stack>() || (c && find_layer(c->name));
    }

    static std::string built(packet const& p) {
        auto bytes = p.build();
        return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    }

    /// Layers where bytes are meant: those of the packet; of each packet, when it is a set.
    field_content read_packet(literal const& value) const {
        auto set = make_packet(value);
        if (set.size() == 1) return single(built(set[0]));
        field_content c;
        c.state = field_state::list;
        for (std::uint64_t i = 0; i < set.size(); ++i) {
            c.texts.push_back(built(set[i]));
            check_combinations(i, i * c.texts.back().size(), value);
        }
        return c;
    }

    // --- lists that are encoded, and values that are ---------------------------------------------------

    field_content read_encoded(literal const& value) const {
        if (!field_.options->one && !field_.options->text && !is_entry(value)) {
            if (auto const* bytes = value.as<literal::bytes>()) return single(bytes->value);
            if (auto const* text = value.as<std::string>()) {
                // A comma forgotten, `[("MSS")]`, or an entry without its list: no bytes are meant.
                if (!text->empty()) refuse(value);
                return single("");
            }
        }
        auto all = alternatives(value);
        if (all.size() == 1) return single(std::move(all.front()));
        field_content c;
        c.state = field_state::list;
        c.texts = std::move(all);
        return c;
    }

    /// Text that is the one entry of a list of addresses, as in Scapy.
    bool is_entry(literal const& value) const {
        auto const* text = value.as<std::string>();
        if (!text || field_.options->layers || !ip_address::parse(*text)) return false;
        try {
            (void)field_.options->read(list_of(value), of_);
            return true;
        } catch (error const&) {
            return false;
        }
    }

    /// What the field may hold: one list; each of the values of a set; or, where entries are layers that hold
    /// sets, each combination of them, the last entry fastest.
    std::vector<std::string> alternatives(literal const& value) const {
        auto const& codec = *field_.options;
        auto entries = entries_of(value);
        if (codec.layers && is_list_of_lists(entries)) {  // a set of lists, as a set of entries prints
            std::vector<std::string> all;
            tally sets;
            for (auto const& e : entries) {
                auto more = alternatives(e);
                count(sets, more, value);
                std::ranges::move(more, std::back_inserter(all));
            }
            return all;
        }
        if (entries.empty()) return {codec.read(literal::list{}, of_)};
        std::vector<std::string> all;
        if (codec.one) {
            for (auto& e : entries)
                for (auto& one : values_of(std::move(e)))
                    all.push_back(codec.read(list_of(std::move(one)), of_));
            return all;
        }
        if (!codec.layers) return {codec.read(literal::list{std::move(entries)}, of_)};
        all = {""};
        for (auto& e : entries) combine(all, members(e), value);
        return all;
    }

    /// Each number of a range, `(1, 9)`; anything else is itself.
    std::vector<literal> values_of(literal entry) const {
        auto const* t = entry.as<literal::tuple>();
        auto const* first = t && t->items.size() == 2 ? t->items[0].as<std::uint64_t>() : nullptr;
        auto const* last = first ? t->items[1].as<std::uint64_t>() : nullptr;
        std::vector<literal> all;
        if (!last || *last < *first)
            all.push_back(std::move(entry));
        else
            for (std::uint64_t i = 0; i <= *last - *first; ++i) {
                check_combinations(i, 0, entry);
                all.emplace_back(*first + i);
            }
        return all;
    }

    static bool is_list_of_lists(std::vector<literal> const& entries) {
        return !entries.empty() &&
               std::ranges::all_of(entries, [](auto const& e) { return e.template as<literal::list>(); });
    }

    static literal list_of(literal entry) {
        literal::list l;
        l.items.push_back(std::move(entry));
        return l;
    }

    /// Scapy has layers that follow one another (DNSRR()/DNSRR()) for a list, and in one.
    static std::vector<literal> entries_of(literal const& value) {
        auto const* l = value.as<literal::list>();
        std::vector<literal> all;
        for (auto const& item : l ? std::span(l->items) : std::span(&value, 1)) {
            auto const* s = item.as<literal::stack>();
            auto const& entries = s ? std::span(s->layers) : std::span(&item, 1);
            all.insert(all.end(), entries.begin(), entries.end());
        }
        return all;
    }

    /// The bytes of an entry, and of every packet of the set that it may be.
    std::vector<std::string> members(literal const& entry) const {
        auto const* call = entry.as<literal::call>();
        if (!call) return {field_.options->read(list_of(entry), of_)};
        // May such a layer stand here? Asked of a bare one: making the whole of it twice would make what is
        // inside it four times, and so on.
        literal bare = literal::call{call->name, {}, {}};
        bare.column = entry.column;
        (void)field_.options->read(list_of(std::move(bare)), of_);
        auto set = make_packet(entry);
        std::vector<std::string> all{built(set)};
        for (std::uint64_t i = 1; i < set.size(); ++i) {
            all.push_back(built(set[i]));
            check_combinations(i, i * all.back().size(), entry);
        }
        return all;
    }

    /// Each of `all` with each of the entry behind it, in that order.
    void combine(std::vector<std::string>& all, std::vector<std::string> const& entry,
                 literal const& at) const {
        if (entry.size() == 1 && entry.front().empty()) return;
        std::size_t total = 0;
        for (auto const& a : all) total += a.size() * entry.size();
        for (auto const& e : entry) total += e.size() * all.size();
        check_combinations(all.size() * entry.size() - 1, total, at);
        if (entry.size() == 1) {
            for (auto& a : all) a += entry.front();
            return;
        }
        std::vector<std::string> longer;
        for (auto const& a : all)
            for (auto const& e : entry) longer.push_back(a + e);
        all = std::move(longer);
    }

    /// `n` are there before this one.
    void check_combinations(std::uint64_t n, std::size_t bytes, literal const& at) const {
        constexpr std::uint64_t most = 65536;
        constexpr std::size_t most_bytes = std::size_t(16) << 20;
        if (n >= most) fail(errc::set_too_large, at, "{}: more than {} combinations", place(), most);
        if (n > 1 && bytes > most_bytes)
            fail(errc::set_too_large, at, "{}: combinations of over 16 MiB", place());
    }

    /// What sets that stand beside each other come to.
    struct tally {
        std::uint64_t more = 0;  // than there are sets
        std::size_t bytes = 0;
    };
    void count(tally& sets, std::vector<std::string> const& set, literal const& at) const {
        if (set.size() < 2) return;
        sets.more += set.size() - 1;
        for (auto const& text : set) sets.bytes += text.size();
        check_combinations(sets.more, sets.bytes, at);
    }

    // --- sets ----------------------------------------------------------------------------------------

    /// The mask of a network's first address.
    wire_value masked(wire_value v, unsigned length) const {
        unsigned open_bits = field_.width - length;
        auto clear = [](std::uint64_t half, unsigned bits) { return bits >= 64 ? 0 : half >> bits << bits; };
        if (open_bits > 64) v.high = clear(v.high, open_bits - 64);
        v.low = clear(v.low, open_bits);
        return v;
    }

    field_content read_network(std::string_view address, std::string_view length, literal const& at) const {
        auto bits = detail::decimal(length, field_.width);
        if (!bits)
            fail(errc::bad_text, at, "{}: \"{}\" is no prefix length up to {}", place(), escape(length),
                 field_.width);
        literal first{address};
        first.column = at.column;
        auto c = single(masked(read_one(first), *bits));
        c.state = field_state::network;
        c.step = *bits;
        return c;
    }

    /// No host's name does (RFC 3696 §2): what looks so is a mistyped address.
    static bool ends_in_number(std::string_view text) {
        auto last = text.substr(text.rfind('.') + 1);  // of all without a dot
        return !last.empty() && last.find_first_not_of("0123456789") == last.npos;
    }

    field_content read_ip(literal const& value) const {
        auto const* text = value.as<std::string>();
        if (!text) {
            if (field_.rule.width && value.as<literal::bytes>()) return single(*detail::octets_of(value));
            refuse(value);
        }
        if (auto other = field_.kind == value_kind::ipv4 && field_.rule.kind_here ? ipv6::parse(*text)
                                                                                  : std::nullopt) {
            return single(std::string(other->octets.begin(), other->octets.end()));
        }
        if (auto slash = text->find('/'); slash != text->npos)
            return read_network(std::string_view(*text).substr(0, slash),
                                std::string_view(*text).substr(slash + 1), value);
        bool is_name = detail::is_host_name(*text) && !ipv6::parse(*text) && !ends_in_number(*text);
        if (!is_name) return single(read_one(value));
        auto c = single(*text);
        c.state = field_state::name;
        return c;
    }

    /// (a, b) or (a, b, step): both ends included.
    field_content read_range(literal::tuple const& t, literal const& at) const {
        if (field_.kind == value_kind::octets) refuse(at);
        if (t.items.size() < 2 || t.items.size() > 3)
            fail(errc::bad_text, at, "{}: a range is (first, last) or (first, last, step)", place());
        auto c = single(read_one(t.items[0]));
        c.state = field_state::range;
        c.last = read_one(t.items[1]);
        if (c.last < c.first)
            fail(errc::value_out_of_range, at, "{}: a range from {} down to {}", place(),
                 to_python(t.items[0]), to_python(t.items[1]));
        if (t.items.size() == 3) {
            auto const* step = t.items[2].as<std::uint64_t>();
            if (!step || *step == 0)
                fail(errc::value_out_of_range, t.items[2], "{}: a step of at least 1", place());
            c.step = *step;
        }
        return c;
    }

    /// Lists inside lists count as if they were written out.
    void flatten(literal::list const& list, std::vector<field_content>& parts, bool& plain,
                 tally& sets) const {
        for (auto const& item : list.items) {
            if (auto const* inner = item.as<literal::list>()) {
                flatten(*inner, parts, plain, sets);
                continue;
            }
            if (item.as<literal::none>()) fail(errc::bad_text, item, "{}: None in a list", place());
            parts.push_back(read(item));
            if (parts.back().state == field_state::list) count(sets, parts.back().texts, item);
            plain &= parts.back().state == field_state::single;
        }
    }

    field_content read_list(literal::list const& list, literal const& at) const {
        std::vector<field_content> parts;
        bool plain = true;
        tally sets;
        flatten(list, parts, plain, sets);
        if (parts.empty()) fail(errc::bad_text, at, "{}: an empty list is no packet at all", place());
        if (parts.size() == 1) return std::move(parts.front());
        field_content c;
        c.state = field_state::list;
        bool is_text = field_.kind == value_kind::octets;
        for (auto const& p : parts) plain &= is_text || p.texts.empty();
        if (!plain) {
            c.parts = std::move(parts);
            return c;
        }
        for (auto& p : parts)
            if (is_text)
                c.texts.push_back(p.texts.empty() ? std::string() : std::move(p.texts.front()));
            else
                c.list.push_back(p.first);
        return c;
    }

    // --- calls ---------------------------------------------------------------------------------------

    field_content read_call(literal::call const& c, literal const& at) const {
        if (c.name == "Net" || c.name == "Net6") return read_net(c, at);
        if (c.name == "RandChoice") return read_choice(c, at);
        if (c.name == "RandString" || c.name == "RandBin") return read_random_text(c, at);
        auto interval = read_interval(c, at);
        if (is_number()) {
            checked(interval.first.low, at);
            checked(interval.last.low, at);
        }
        field_content out;
        out.state = field_state::interval;
        out.first = interval.first, out.last = interval.last, out.by_octet = interval.by_octet;
        return out;
    }

    [[noreturn]] void refuse_call(literal::call const& c, literal const& at) const {
        constexpr std::string_view known[] = {"Net",        "Net6",    "RandByte",  "RandShort", "RandInt",
                                              "RandLong",   "RandNum", "RandIP",    "RandIP6",   "RandMAC",
                                              "RandString", "RandBin", "RandChoice"};
        if (std::ranges::find(known, c.name) != std::end(known) || find_layer(c.name))
            fail(errc::bad_text, at, "{} cannot hold {}(..)", place(), escape(c.name));
        fail(errc::bad_expression, at, "no function {}(..){}", escape(c.name),
             detail::did_you_mean(c.name, known));
    }

    /// The argument of a place or of a name, or null.
    static literal const* argument(literal::call const& c, std::size_t place, std::string_view name) {
        if (place < c.arguments.size()) return &c.arguments[place];
        for (auto const& [key, value] : c.keywords)
            if (key == name) return &value;
        return nullptr;
    }
    std::uint64_t number_argument(literal::call const& c, std::size_t place, std::string_view name,
                                  literal const& at) const {
        auto const* value = argument(c, place, name);
        auto const* n = value ? value->as<std::uint64_t>() : nullptr;
        if (!n) fail(errc::bad_expression, at, "{}(..) takes a number `{}`", c.name, name);
        return *n;
    }
    std::string_view text_argument(literal::call const& c, std::string_view name, std::string_view otherwise,
                                   literal const& at) const {
        auto const* value = argument(c, 0, name);
        if (!value) return otherwise;
        auto const* text = value->as<std::string>();
        if (!text) fail(errc::bad_expression, at, "{}(..) takes text, not {}", c.name, kind_of(*value));
        return *text;
    }

    random_interval read_interval(literal::call const& c, literal const& at) const {
        if (is_number()) {
            if (c.name == "RandByte") return random_byte();
            if (c.name == "RandShort") return random_short();
            if (c.name == "RandInt") return random_int();
            if (c.name == "RandLong") return random_long();
            if (c.name == "RandNum") {
                auto first = number_argument(c, 0, "min", at), last = number_argument(c, 1, "max", at);
                if (first > last) fail(errc::value_out_of_range, at, "RandNum({}, {})", first, last);
                return random_num(first, last);
            }
        }
        try {
            if (c.name == "RandMAC" && field_.kind == value_kind::mac)
                return random_mac(text_argument(c, "template", "*", at));
            if (c.name == "RandIP" && field_.kind == value_kind::ipv4)
                return random_ip(text_argument(c, "iptemplate", "0.0.0.0/0", at));
            if (c.name == "RandIP6" && field_.kind == value_kind::ipv6) {
                auto network = text_argument(c, "ip6template", "**", at);
                return random_ip6(network == "**" ? "::/0" : network);
            }
        } catch (error const& e) {
            if (e.code() != errc::bad_text) throw;
            fail(errc::bad_text, at, "{}: \"{}\" is no template of {}(..)", place(),
                 escape(text_argument(c, {}, {}, at)), c.name);
        }
        refuse_call(c, at);
    }

    field_content read_net(literal::call const& c, literal const& at) const {
        if (field_.kind != (c.name == "Net" ? value_kind::ipv4 : value_kind::ipv6)) refuse_call(c, at);
        if (c.arguments.size() == 2) return read_range({c.arguments}, at);
        if (c.arguments.size() != 1) fail(errc::bad_expression, at, "{}(..) takes a network", c.name);
        return read_ip(c.arguments[0]);
    }

    field_content read_choice(literal::call const& c, literal const& at) const {
        if (c.arguments.empty()) fail(errc::bad_expression, at, "RandChoice(..) takes at least one value");
        auto out = read_list({c.arguments}, at);
        if (!out.parts.empty() || (out.state != field_state::list && out.state != field_state::single))
            fail(errc::bad_expression, at, "RandChoice(..) takes single values");
        out.state = out.state == field_state::list ? field_state::choice : field_state::single;
        return out;
    }

    field_content read_random_text(literal::call const& c, literal const& at) const {
        constexpr std::uint64_t usual = 100,
                                longest = 65535;  // 100: what Scapy's random length is on average
        if (field_.kind != value_kind::octets) refuse_call(c, at);
        field_content out;
        out.state = field_state::text;
        out.step = argument(c, 0, "size") ? number_argument(c, 0, "size", at) : usual;
        out.by_octet = c.name == "RandBin";
        if (out.step > longest)
            fail(errc::value_out_of_range, at, "{}({}): at most {} bytes", c.name, out.step, longest);
        return out;
    }

    layer_description const& layer_;
    field_description const& field_;
    literal::call const* of_;  // the layer that the field is read for
};

}  // namespace

field_content read_value(layer_description const& layer, std::size_t field, literal const& value,
                         literal::call const* of) {
    return value_reader(layer, field, of).read(value);
}

}  // namespace sonde::inline v0
