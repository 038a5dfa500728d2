package org.hindmq.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

import javax.jms.JMSException;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TransactionRolledBackException;

/**
 * Transactions of five durable sends; every tenth is rolled back on purpose. An unknown commit is tried again with the
 * same ids: a refusal as duplicate then proves that the first one counted.
 */
final class TxSender implements Runnable {
   private static final int BATCH = 5;
   private static final int ROLLBACK_EVERY = 10;

   private final Load load;
   private final String name;
   private final String queue;
   private final Link link;
   private MessageProducer producer;

   TxSender(Load load, String name, String queue) {
      this.load = load;
      this.name = name;
      this.queue = queue;
      this.link = new Link(load, name, Session.SESSION_TRANSACTED);
   }

   @Override
   public void run() {
      long seq = 0;
      for (int round = 1; !load.producersStop; round++) {
         long first = seq;
         seq += BATCH;
         List<String> ids = new ArrayList<>();
         for (long i = first; i < seq; i++) ids.add(load.prefix + "/" + name + "-" + i);
         if (round % ROLLBACK_EVERY == 0) rollback(ids, first);
         else while (!commit(ids, first)) { }
         LockSupport.parkNanos(load.pauseNanos * BATCH);
      }
      link.close();
   }

   private void send(Session s, List<String> ids, long first) throws JMSException {
      if (producer == null) producer = s.createProducer(s.createQueue(queue));
      for (int i = 0; i < ids.size(); i++) producer.send(Payload.message(s, ids.get(i), load.bodySize));
   }

   private void invoke(String event, List<String> ids, long first) {
      load.log.write(new EventLog.Line(event).add("p", name).add("q", queue).add("s", first).add("ids", ids));
   }

   private void rollback(List<String> ids, long first) {
      Session s = link.session(() -> false);
      invoke("tx.doomed", ids, first);
      try {
         send(s, ids, first);
         s.rollback();
      } catch (JMSException e) {
         load.log.write(new EventLog.Line("tx.error").add("p", name).add("err", Load.text(e)));
         reset(s, e);
      }
   }

   private boolean commit(List<String> ids, long first) {
      Session s = link.session(() -> false);
      invoke("tx.invoke", ids, first);
      try {
         send(s, ids, first);
         s.commit();
      } catch (JMSException e) {
         if (Load.duplicate(e)) {
            reset(s, e);
            done(ids, true);
            return true;
         }
         String event = e instanceof TransactionRolledBackException ? "tx.undone" : "tx.info";
         load.log.write(new EventLog.Line(event).add("p", name).add("ids", ids).add("err", Load.text(e)));
         reset(s, e);
         return false;
      }
      done(ids, false);
      return true;
   }

   private void done(List<String> ids, boolean earlier) {
      load.confirmed.addAll(ids);
      load.log.write(new EventLog.Line("tx.ok").add("p", name).add("ids", ids).add("earlier", earlier));
   }

   /** Leaves nothing of the failed transaction in the session. */
   private void reset(Session s, JMSException e) {
      if (link.failed(e)) {
         producer = null;
         return;
      }
      try {
         s.rollback();
      } catch (JMSException again) {
         load.log.write(new EventLog.Line("tx.error").add("p", name).add("err", Load.text(again)));
         if (link.failed(again)) producer = null;
      }
   }
}
