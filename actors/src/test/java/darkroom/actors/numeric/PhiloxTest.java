package darkroom.actors.numeric;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiloxTest {

    @ParameterizedTest
    @CsvSource(textBlock = """
        0,0,0,0, 0,0, 6627e8d5,e169c58d,bc57ac4c,9b00dbd8
        ffffffff,ffffffff,ffffffff,ffffffff, ffffffff,ffffffff, 408f276d,41c83b0e,a20bc7c6,6d5451fd
        243f6a88,85a308d3,13198a2e,03707344, a4093822,299f31d0, d16cfe09,94fdcceb,5001e420,24126ea1
        """)
    void known_answers_of_random123(
            String counter0,
            String counter1,
            String counter2,
            String counter3,
            String key0,
            String key1,
            String word0,
            String word1,
            String word2,
            String word3) {
        Philox.Block block = Philox.block(
                (long) hex(key1) << 32 | Integer.toUnsignedLong(hex(key0)),
                hex(counter0),
                hex(counter1),
                hex(counter2),
                hex(counter3));

        assertThat(new int[] {block.word(0), block.word(1), block.word(2), block.word(3)})
                .containsExactly(hex(word0), hex(word1), hex(word2), hex(word3));
    }

    private static int hex(String text) {
        return Integer.parseUnsignedInt(text.strip(), 16);
    }
}
