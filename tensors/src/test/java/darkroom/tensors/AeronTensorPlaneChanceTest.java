package darkroom.tensors;

import static darkroom.tensors.PlaneFleet.answer;
import static darkroom.tensors.PlaneFleet.until;
import static org.assertj.core.api.Assertions.assertThat;

import darkroom.tensors.NetworkFaults.Fate;
import darkroom.tensors.PlaneFrame.Kind;
import darkroom.tensors.TensorPlaneSettings.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;

class AeronTensorPlaneChanceTest {
    private static final PlaneFleet MEMORY = PlaneFleet.of(Transport.IPC, "home", "here");
    private static final PlaneFleet NETWORK = PlaneFleet.of(
            settings -> new TensorPlaneSettings(
                    Transport.UDP,
                    settings.driver(),
                    settings.host(),
                    settings.port(),
                    1 << 16,
                    1024,
                    settings.socketBytes(),
                    settings.transfersMax(),
                    settings.replicaBytesMax(),
                    settings.shown(),
                    settings.transferTimeout(),
                    settings.peerSilentAfter()),
            "home",
            "here");

    @AfterContainer
    static void closed() {
        MEMORY.close();
        NETWORK.close();
    }

    /** TP-1, TP-4, TP-7, TP-11: concurrent tensors of any size, some messages lost, one with wrong bytes. */
    @Property(tries = 60)
    void what_is_brought_is_right_whatever_becomes_of_messages(
            @ForAll @Size(max = 6) List<@IntRange(max = 300_000) Integer> sizes,
            @ForAll long seed,
            @ForAll boolean memory) {
        PlaneFleet fleet = memory ? MEMORY : NETWORK;
        SplittableRandom chance = new SplittableRandom(seed);
        int[] wrong = {1};
        fleet.plane("here").fate(frame -> {
            if (frame.kind() == Kind.DATA && wrong[0] > 0 && chance.nextInt(8) == 0) {
                wrong[0]--;
                return Fate.CORRUPTED;
            }
            return chance.nextInt(60) == 0 ? Fate.LOST : Fate.DELIVERED;
        });
        List<TensorRef> refs = new ArrayList<>();
        for (int i = 0; i < sizes.size(); i++) {
            refs.add(fleet.put("home", sizes.get(i), seed + i));
        }
        answer(fleet.plane("here").bring(refs));
        for (int i = 0; i < sizes.size(); i++) {
            assertThat(fleet.read("here", refs.get(i))).isEqualTo(PlaneFleet.bytes(sizes.get(i), seed + i));
        }
        refs.forEach(fleet.plane("here").store()::release);
        until("the home has received all releases", () -> fleet.store("home").tensorsHeld() == 0);
        until("nothing is lent", () -> fleet.store("here").bytesLent() == 0);
    }
}
