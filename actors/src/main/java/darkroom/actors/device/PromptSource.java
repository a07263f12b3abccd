package darkroom.actors.device;

import darkroom.actors.statistics.PromptBan;
import java.util.List;

/**
 * Supplies the prompts of a run.
 *
 * <p>Called by one actor at a time, on a dispatcher for blocking work; it may render or read, and should take less than a
 * second.
 */
public interface PromptSource {
    /**
     * Returns the prompts of a step in group order: a pure function of (seed, step, ban). Their tensors are in the store
     * when it returns.
     *
     * @throws RuntimeException if no prompts are left; the run then ends and reports it
     */
    List<Prompt> prompts(int step, PromptBan ban);

    /** Releases the tensors of these prompts; the step they were issued for is completed. */
    void release(List<Prompt> prompts);
}
