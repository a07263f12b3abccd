package darkroom.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {
    @Provide
    Arbitrary<String> hosts() {
        Arbitrary<String> names =
                Arbitraries.of("localhost", "control", "node-1.cluster.local", "a_b", "xn--rksmrgs-5wao1o");
        Arbitrary<String> ipv4 = Arbitraries.integers()
                .between(0, 255)
                .list()
                .ofSize(4)
                .map(parts -> parts.get(0) + "." + parts.get(1) + "." + parts.get(2) + "." + parts.get(3));
        Arbitrary<String> full = Arbitraries.integers()
                .between(0, 0xFFFF)
                .list()
                .ofSize(8)
                .map(parts -> String.join(
                        ":", parts.stream().map(Integer::toHexString).toList()));
        Arbitrary<String> shortened = Arbitraries.of(
                "::",
                "::1",
                "fd09::1",
                "fe80::1%eth0",
                "2001:db8::8a2e:370:7334",
                "::ffff:10.0.0.1",
                "64:ff9b::1.2.3.4");
        return Arbitraries.oneOf(names, ipv4, full, shortened);
    }

    @Provide
    Arbitrary<HostPort> addresses() {
        return Combinators.combine(hosts(), Arbitraries.integers().between(0, 65_535))
                .as(HostPort::new);
    }

    @Property(tries = 300)
    void what_is_printed_is_read_back(@ForAll("addresses") HostPort address) {
        assertThat(HostPort.parse(address.toString())).isEqualTo(address);
    }

    @Property(tries = 10)
    void what_is_printed_is_a_seed_node(@ForAll("addresses") HostPort address) {
        assertThat(Recipes.load("embedded-demo", List.of("cluster.seed-nodes=[\"" + address + "\"]"))
                        .cluster()
                        .seedNodes())
                .containsExactly(address.toString());
    }

    @Test
    void brackets_are_not_part_of_the_host() {
        assertThat(HostPort.parse("[fd09::1]:25520")).isEqualTo(new HostPort("fd09::1", 25_520));
        assertThat(new HostPort("[fd09::1]", 1)).isEqualTo(new HostPort("fd09::1", 1));
        assertThat(HostPort.bracketed("[::1]")).isEqualTo("[::1]");
        assertThat(HostPort.plain("[::1]")).isEqualTo("::1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nowhere",
                ":1",
                "a:",
                "a:b",
                "a:99999",
                "a:-1",
                "a b:1",
                "u@a:1",
                "a/b:1",
                "fd09::1:25520",
                "[fd09::1]",
                "[fd09:::1]:1",
                "[a]:1",
                "[]:1",
                "fd09::1]:1",
                "http://a:1"
            })
    void what_is_no_address_is_refused_by_its_text(String text) {
        assertThatThrownBy(() -> HostPort.parse(text)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Recipes.load("embedded-demo", List.of("cluster.seed-nodes=[\"" + text + "\"]")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("cluster.seed-nodes")
                .hasMessageContaining('"' + text + '"');
    }

    @Test
    void an_ipv6_address_without_brackets_is_refused_with_the_form_that_is_read() {
        assertThatThrownBy(() -> HostPort.parse("fd09::1:25520")).hasMessageContaining("in brackets");
    }
}
