package darkroom.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.zip.CRC32C;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class ChecksumTest {
    /** TP-1: the checksum of a transfer that began in the middle. */
    @Property(tries = 500)
    void checksums_of_pieces_join_to_that_of_the_whole(@ForAll byte[] first, @ForAll byte[] second) {
        CRC32C one = new CRC32C();
        CRC32C two = new CRC32C();
        CRC32C both = new CRC32C();
        one.update(first);
        two.update(second);
        both.update(first);
        both.update(second);
        assertThat(Checksum.joined(one.getValue(), two.getValue(), second.length))
                .isEqualTo(both.getValue());
    }
}
